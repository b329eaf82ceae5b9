"""What a batch of commands will look at, so that the writer loads it at once instead of row by row.

Hints are only hints: a handler finds what was not named here by itself. On PostgreSQL they also say which
conversations to lock, in the order of their numbers, before the first handler runs (DESIGN §1).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.commands import Advance, ThreadDelete, ThreadEdit, ThreadMessage
from bot.people import Actor
from bot.posts import Place
from bot.relay import event_key


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
        named = getattr(command, "window", command)
        conversation_id = getattr(named, "conversation_id", None)
        if conversation_id is not None:
            found.names.add((named.store, conversation_id))
        place = getattr(command, "place", None)
        if isinstance(place, Place):
            found.threads.add((place.platform, place.channel, place.root))
            _thread_event(found, command, place)
        actor = getattr(command, "actor", None)
        if isinstance(actor, Actor):
            found.accounts.add((actor.platform, actor.id))
    return found


def _thread_event(found: Hints, command: Any, place: Place) -> None:
    if isinstance(command, ThreadMessage | ThreadEdit):
        key = event_key(place, command.heard.id)
        found.inbox |= {key, f"{key}:delete"}
        if isinstance(command, ThreadEdit):
            found.messages.add((place.platform, place.channel, command.heard.id))
            found.inbox.add(f"{key}:edit:{command.heard.edited_order}")
    elif isinstance(command, ThreadDelete):
        found.messages.add((place.platform, place.channel, command.message_id))
        found.inbox.add(f"{event_key(place, command.message_id)}:delete")
