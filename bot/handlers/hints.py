"""What a batch of commands will look at, so that the writer loads it at once instead of row by row.

Hints are only hints: a handler finds what was not named here by itself. On PostgreSQL they also say which
conversations to lock, in the order of their numbers, before the first handler runs (DESIGN §1).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.commands import Advance, Perform, ThreadDelete, ThreadEdit, ThreadMessage, Withdraw
from bot.people import Actor
from bot.posts import Place
from bot.relay import event_key
from bot.verbs import numbers_in


@dataclass(slots=True)
class Hints:
    """Keys of rows. `threads` are places whose bindings say which conversation is meant; `lanes` are conversations
    one of whose lanes takes its next step."""

    numbers: set[int] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)
    threads: set[tuple[str, str, str]] = field(default_factory=set)
    messages: set[tuple[str, str, str]] = field(default_factory=set)
    accounts: set[tuple[str, str]] = field(default_factory=set)
    inbox: set[str] = field(default_factory=set)
    lanes: set[int] = field(default_factory=set)


def hints(commands: Iterable[Any]) -> Hints:
    """By the fields that commands share: `number`, `store` and `conversation_id`, `window`, `place`, `actor`."""
    found = Hints()
    for command in commands:
        number = getattr(command, "number", None)
        if number is not None:
            found.numbers.add(number)
            if isinstance(command, Advance):
                found.lanes.add(number)
        found.numbers.update(getattr(command, "numbers", ()))
        named = getattr(command, "window", command)
        conversation_id = getattr(named, "conversation_id", None)
        if conversation_id is not None:
            found.names.add((named.store, conversation_id))
        place = getattr(command, "place", None)
        if isinstance(place, Place):
            found.threads.add((place.platform, place.channel, place.root))
            _thread_event(found, command, place)
        if isinstance(command, Perform):
            _verb(found, command.text, command.id)
        actor = getattr(command, "actor", None)
        if isinstance(actor, Actor):
            found.accounts.add((actor.platform, actor.id))
    return found


def _verb(found: Hints, text: str, id: str = "") -> None:  # noqa: A002
    """A verb may name another case than the one it is written in."""
    found.numbers |= numbers_in(text)
    if id:
        found.inbox.add(f"perform:{id}")


def _thread_event(found: Hints, command: Any, place: Place) -> None:
    if isinstance(command, ThreadMessage | ThreadEdit):
        key = event_key(place, command.heard.id)
        found.inbox |= {key, f"{key}:delete"}
        if command.heard.addressed == "bot":
            _verb(found, str(command.heard.extra.get("command") or command.heard.text), key)
        if isinstance(command, ThreadEdit):
            found.messages.add((place.platform, place.channel, command.heard.id))
            found.inbox.add(f"{key}:edit:{command.heard.edited_order}")
    elif isinstance(command, ThreadDelete | Withdraw):
        found.messages.add((place.platform, place.channel, command.message_id))
        found.inbox.add(f"{event_key(place, command.message_id)}:delete")
