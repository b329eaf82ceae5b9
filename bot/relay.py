"""What becomes of a person's message in a thread: does it leave, stay inside, or is it a command? Pure (DESIGN §2).

Doubt keeps a message inside: a note that reaches a shopper cannot be taken back.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.conversation import Conversation, Stage
from bot.entries import Entry
from bot.posts import Action, Place

# "note:" in any case, also "notes:" and with a space before the colon; "//" anywhere at the start.
_MARKED = re.compile(r"^\s*(//|notes?\s*:|internal\s*:)", re.IGNORECASE)


class Fate(StrEnum):
    """Where a message goes."""

    LEAVES = "leaves"
    INSIDE = "inside"
    COMMAND = "command"  # began with the bot's mention; never relayed, even if misspelt


@dataclass(frozen=True, slots=True)
class Verdict:
    """A message's fate and, when it stays inside, what may be offered for it."""

    fate: Fate
    offer: Action | None = None


def marker_of(text: str) -> str:
    """What a note begins with to stay inside (`//`, `note:`); empty for any other text."""
    found = _MARKED.match(text)
    return found[0] if found else ""


def is_marked_inside(text: str) -> bool:
    """Whether its author said that it stays inside."""
    return _MARKED.match(text) is not None


def judge(
    text: str,
    addressed: str | None,
    author_id: int,
    conversation: Conversation,
    mode: str,
    *,
    member: bool = True,
) -> Verdict:
    """`addressed` is "bot" or "person" when the message begins with a mention; `mode` is the team's relay mode;
    `member` is False for guests and strangers, who are offered nothing."""
    if addressed == "bot":
        return Verdict(Fate.COMMAND)
    if not member:
        return Verdict(Fate.INSIDE)
    marked = addressed == "person" or is_marked_inside(text)
    owns = conversation.stage is Stage.ACTIVE and conversation.owner_id == author_id
    if owns and not marked and mode == "owner":
        return Verdict(Fate.LEAVES)
    return Verdict(Fate.INSIDE, offer_for(conversation, author_id))


def offer_for(conversation: Conversation, author_id: int) -> Action:
    """What may be offered for an aside of that operator's, as the case stands."""
    if conversation.stage is Stage.ACTIVE and conversation.owner_id == author_id:
        return Action.SEND
    match conversation.stage:
        case Stage.ACTIVE:
            return Action.SEND_AS_ME
        case Stage.RESOLVED:
            return Action.REOPEN_AND_SEND
        case _:
            return Action.CLAIM_AND_SEND


def event_key(place: Place, message_id: str) -> str:
    """What happened in a thread, as DESIGN §1 names it: the inbox key of a message; edits and deletes add to it."""
    return f"{place.platform}:{place.channel}:{message_id}"


def sent_key(aside: Entry) -> str:
    """The inbox key under which an aside is sent at most once."""
    return f"aside:{aside.conversation}:{aside.seq}"


def without_marker(text: str) -> str:
    """What would leave if an aside is sent after all."""
    return _MARKED.sub("", text, count=1).strip()
