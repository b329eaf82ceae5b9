"""What a log consists of: the kinds of entry, who may see each, and which reader acts on it.

This table is the only place that says so (DESIGN §1). A kind that is not named here cannot be appended.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Audience(StrEnum):
    """Immutable, given when the entry is appended."""

    SHOPPER = "shopper"
    TEAM = "team"


class Author(StrEnum):
    """Who said it. `BATON` is the bot itself: notices, moves, faults."""

    SHOPPER = "shopper"
    ASSISTANT = "assistant"
    OPERATOR = "operator"
    BATON = "baton"


class Reader(StrEnum):
    """Everyone with a lane. The widget has none: it pulls, and the log is its outbox."""

    THREAD = "thread"
    CARD = "card"
    RECEIPTS = "receipts"
    EMAIL = "email"
    WEBHOOK = "webhook"
    FILES = "files"  # only where a file was ever sent


class Kind(StrEnum):
    """What happened."""

    MESSAGE = "message"  # said to the other side
    ASIDE = "aside"  # said inside the team
    EDITED = "edited"  # the text of `target` changed
    DELETED = "deleted"  # the text of `target` was taken back
    NOTICE = "notice"  # Baton tells the shopper something
    ESCALATED = "escalated"
    CLAIMED = "claimed"
    ASSIGNED = "assigned"
    RELEASED = "released"
    HANDED_BACK = "handed_back"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    RETURNED = "returned"
    OUTCOME = "outcome"
    DEAD_LETTER = "dead_letter"  # a delivery was given up
    MOVED = "moved"  # to another team
    PRIORITISED = "prioritised"
    TAGGED = "tagged"
    SNOOZED = "snoozed"
    WOKEN = "woken"  # a snooze ended
    ALERTED = "alerted"  # the team must look: `data["code"]` says why


@dataclass(frozen=True, slots=True)
class About:
    """A row of the table: `audience` None means "as its target" (edits and deletes)."""

    audience: Audience | None
    readers: frozenset[Reader]


def _about(audience: Audience | None, *readers: Reader) -> About:
    return About(audience, frozenset(readers))


_T, _C, _R, _E, _W = Reader.THREAD, Reader.CARD, Reader.RECEIPTS, Reader.EMAIL, Reader.WEBHOOK
_F = Reader.FILES

KINDS: dict[Kind, About] = {
    Kind.MESSAGE: _about(Audience.SHOPPER, _T, _R, _E, _W, _F),
    Kind.ASIDE: _about(Audience.TEAM, _T, _R, _W),
    Kind.EDITED: _about(None, _T, _E, _W),
    Kind.DELETED: _about(None, _T, _R, _E, _W, _F),
    Kind.NOTICE: _about(Audience.SHOPPER, _W),
    Kind.ESCALATED: _about(Audience.TEAM, _T, _C, _W),
    Kind.CLAIMED: _about(Audience.TEAM, _T, _C, _W),
    Kind.ASSIGNED: _about(Audience.TEAM, _T, _C, _W),
    Kind.RELEASED: _about(Audience.TEAM, _T, _C, _W),
    Kind.HANDED_BACK: _about(Audience.TEAM, _T, _C, _W),
    Kind.RESOLVED: _about(Audience.TEAM, _T, _C, _W),
    Kind.REOPENED: _about(Audience.TEAM, _T, _C, _W),
    Kind.RETURNED: _about(Audience.TEAM, _W),
    Kind.OUTCOME: _about(Audience.TEAM, _T, _C, _W),
    Kind.DEAD_LETTER: _about(Audience.TEAM, _T),
    Kind.MOVED: _about(Audience.TEAM, _T, _C, _W),
    Kind.PRIORITISED: _about(Audience.TEAM, _T, _C, _W),
    Kind.TAGGED: _about(Audience.TEAM, _C, _W),
    Kind.SNOOZED: _about(Audience.TEAM, _T, _C, _W),
    Kind.WOKEN: _about(Audience.TEAM, _T, _C, _W),
    Kind.ALERTED: _about(Audience.TEAM, _T),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that is about to be appended; the log gives it its number.

    `external_id` is the id the source knows it by (a message id of the store, the widget or the platform);
    `edited_order` its source's order of an edit that it holds already.
    """

    kind: Kind
    author: Author = Author.BATON
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    operator_id: int | None = None
    name: str | None = None
    source: str = ""
    external_id: str | None = None
    target: int | None = None
    at: float | None = None
    late: bool = False
    audience: Audience | None = None
    edited_order: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a log, with the newest state of its body. Times are Unix seconds (UTC).

    `text` is the newest text; empty once `deleted`. `edited_order` is the source's order of the newest edit:
    an older edit changes nothing.
    """

    conversation: int
    seq: int
    kind: Kind
    audience: Audience
    author: Author
    operator_id: int | None
    name: str | None
    source: str
    external_id: str | None
    target: int | None
    at: float
    stored_at: float
    late: bool
    handoff: int
    text: str
    data: dict[str, Any]
    deleted: bool = False
    edited: bool = False
    edited_order: str = ""


def acting_on(draft: Draft) -> frozenset[Reader]:
    """The readers that an entry concerns: what a shopper or the assistant says has no receipt."""
    readers = KINDS[draft.kind].readers
    return readers if draft.author is Author.OPERATOR else readers - {Reader.RECEIPTS}


def for_shopper(entries: Iterable[Entry]) -> list[Entry]:
    """Those a shopper may see."""
    return [entry for entry in entries if entry.audience is Audience.SHOPPER]


def audience_of(draft: Draft, target: Entry | None) -> Audience:
    """The audience an entry will have for ever: its kind's, its target's, or `team` when nothing says so.

    A draft may narrow its kind's audience to the team, never widen it.
    """
    fixed = KINDS[draft.kind].audience or (target.audience if target else Audience.TEAM)
    return Audience.TEAM if draft.audience is Audience.TEAM else fixed
