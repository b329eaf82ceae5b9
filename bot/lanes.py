"""Lanes and deliveries: what each reader is owed, and each call that was or will be made for it (DESIGN §1)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.entries import Reader


@dataclass(slots=True)
class Lane:
    """A conversation × reader. `position` is the last entry that reader is done with.

    `due_at` is None when nothing is owed. `not_before` is the backoff after a fault of the place; new entries do
    not shorten it. A lane is worked on by the holder of its lease only.
    """

    conversation: int
    reader: Reader
    position: int = 0
    due_at: float | None = None
    not_before: float = 0.0
    lease_owner: str | None = None
    lease_until: float = 0.0
    faults: int = 0
    fault: str | None = None
    fault_since: float | None = None


class Op(StrEnum):
    """The calls a delivery can be."""

    OPEN = "open"  # a thread, with its card
    POST = "post"
    AMEND = "amend"
    RETRACT = "retract"
    CARD = "card"
    MARK = "mark"
    WEBHOOK = "webhook"
    UPLOAD = "upload"  # a file's bytes, which nobody sees yet
    SHARE = "share"  # show that file in the thread
    UNSHARE = "unshare"  # take it back
    FETCH = "fetch"  # an operator's file into our store
    DISCARD = "discard"  # files whose message was taken back


# A repeat of these changes nothing (or, for a webhook, carries the same id), so nobody has to look first.
REPEATABLE = frozenset(
    {Op.AMEND, Op.RETRACT, Op.CARD, Op.MARK, Op.WEBHOOK, Op.UPLOAD, Op.UNSHARE, Op.FETCH, Op.DISCARD}
)


class DeliveryState(StrEnum):
    """How far a call is."""

    PLANNED = "planned"  # not tried, or certainly not carried out
    SENDING = "sending"  # committed before the call
    UNCERTAIN = "uncertain"  # nobody knows: ask the platform
    SENT = "sent"
    DEAD = "dead"  # the content was refused; kept, replayable
    DROPPED = "dropped"  # no longer wanted: its thread is gone


OUTSTANDING = frozenset({DeliveryState.PLANNED, DeliveryState.SENDING, DeliveryState.UNCERTAIN})


@dataclass(slots=True)
class Delivery:
    """One call. `id` goes with it to the platform (metadata, nonce, webhook-id), so that it can be found again.

    `content` is frozen when planned, so that a repeat is the same call, and cleared once it is sent.
    `attempted_at` is when the last attempt began: "not there" is believed only a settling time later.
    """

    id: str
    conversation: int
    reader: Reader
    op: Op
    first_seq: int
    last_seq: int
    part: int
    parts: int
    state: DeliveryState
    created_at: float
    content: dict[str, Any] | None = None
    binding_id: int | None = None
    remote_id: str | None = None
    attempt: int = 0
    attempted_at: float = 0.0
    settled_at: float | None = None
    error: str | None = None


class BindingState(StrEnum):
    """Whether a thread takes new entries."""

    OPEN = "open"
    CLOSED = "closed"  # its handoff ended: only edits
    GONE = "gone"  # its root was deleted
    MOVED = "moved"


@dataclass(slots=True)
class Binding:
    """Where a handoff's thread is. `first_seq`..`last_seq` are the entries it shows.

    `last_order` is the newest platform order handled from it, to mark what arrives late. `offer_id` is the one
    post with buttons that offers to send an aside, `offer_seq` the aside it is about.
    """

    id: int
    conversation: int
    handoff: int
    platform: str
    channel: str
    root: str
    state: BindingState
    first_seq: int
    last_seq: int
    created_at: float
    last_order: str = ""
    offer_id: str | None = None
    offer_seq: int | None = None
    permalink: str | None = None


@dataclass(slots=True)
class Link:
    """One post on a platform and the entries it shows. `ours`: Baton wrote it, not a person.

    `mark` is the receipt it carries now.
    """

    platform: str
    channel: str
    remote_id: str
    conversation: int
    binding_id: int
    first_seq: int
    last_seq: int
    part: int = 0
    ours: bool = True
    mark: str | None = None
