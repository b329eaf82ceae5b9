"""A conversation, its stages and the one table of moves between them (DESIGN §2)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.entries import Author, Entry, Kind
from bot.errors import IllegalTransition


class Stage(StrEnum):
    """Who is in charge of the conversation."""

    OPEN = "open"  # the assistant answers; a person may step in
    WAITING = "waiting"  # a person is needed, nobody has claimed
    ACTIVE = "active"  # an owner is engaged
    RESOLVED = "resolved"


class Move(StrEnum):
    """What can change a stage."""

    ESCALATE = "escalate"
    CLAIM = "claim"
    ASSIGN = "assign"
    TAKE_OVER = "take_over"
    RELEASE = "release"
    HAND_BACK = "hand_back"
    RESOLVE = "resolve"
    REOPEN = "reopen"  # the shopper writes within the reopen window
    RETURN = "return"  # the shopper writes later


TRANSITIONS: dict[tuple[Stage, Move], Stage] = {
    (Stage.OPEN, Move.ESCALATE): Stage.WAITING,
    (Stage.RESOLVED, Move.ESCALATE): Stage.WAITING,
    (Stage.OPEN, Move.CLAIM): Stage.ACTIVE,
    (Stage.WAITING, Move.CLAIM): Stage.ACTIVE,
    (Stage.RESOLVED, Move.CLAIM): Stage.ACTIVE,
    (Stage.OPEN, Move.ASSIGN): Stage.ACTIVE,
    (Stage.WAITING, Move.ASSIGN): Stage.ACTIVE,
    (Stage.RESOLVED, Move.ASSIGN): Stage.ACTIVE,
    (Stage.ACTIVE, Move.ASSIGN): Stage.ACTIVE,
    (Stage.ACTIVE, Move.TAKE_OVER): Stage.ACTIVE,
    (Stage.ACTIVE, Move.RELEASE): Stage.WAITING,
    (Stage.WAITING, Move.HAND_BACK): Stage.OPEN,
    (Stage.ACTIVE, Move.HAND_BACK): Stage.OPEN,
    (Stage.OPEN, Move.RESOLVE): Stage.RESOLVED,
    (Stage.WAITING, Move.RESOLVE): Stage.RESOLVED,
    (Stage.ACTIVE, Move.RESOLVE): Stage.RESOLVED,
    (Stage.RESOLVED, Move.REOPEN): Stage.WAITING,
    (Stage.RESOLVED, Move.RETURN): Stage.OPEN,
}

IN_PERSONS_HANDS = frozenset({Stage.WAITING, Stage.ACTIVE})


class Awaiting(StrEnum):
    """Whose turn it is."""

    SHOPPER = "shopper"
    OPERATOR = "operator"
    NOBODY = "nobody"


@dataclass(slots=True)
class Conversation:
    """One exchange between a shopper and a store. All times are Unix seconds (UTC).

    `head` is the number of the newest log entry. `handoff` counts handoffs begun, `handoffs_ended` those that
    were resolved or handed back; `ended_seq` is the entry that ended the last one, and
    what was said until then is not the assistant's to answer. `guest_id` is the
    generated shopper id of whoever began it anonymously: their window stays theirs once the store names them.
    `last_shopper_seq` and `last_answer_seq` cache what the log says, so that the queue can be listed without it.
    `outcome` is the newest one recorded: {"kind", "amount", "currency", "note"}.
    """

    number: int
    store: str
    external_id: str
    shopper_id: int
    channel: str
    stage: Stage
    team: str
    created_at: float
    updated_at: float
    head: int = 0
    handoff: int = 0
    handoffs_ended: int = 0
    ended_seq: int = 0
    owned_since: float | None = None
    owner_id: int | None = None
    guest_id: str | None = None
    category: str | None = None
    priority: str = "normal"
    waiting_since: float | None = None
    escalated_at: float | None = None
    claimed_at: float | None = None
    first_reply_at: float | None = None
    resolved_at: float | None = None
    last_shopper_seq: int = 0
    last_shopper_at: float | None = None
    last_answer_seq: int = 0
    packet: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    snoozed_until: float | None = None
    outcome: dict[str, Any] | None = None

    @property
    def in_persons_hands(self) -> bool:
        """Whether the assistant must be silent."""
        return self.stage in IN_PERSONS_HANDS

    @property
    def awaiting(self) -> Awaiting:
        """Derived from the log: who has to say something next."""
        if not self.in_persons_hands:
            return Awaiting.NOBODY
        return Awaiting.OPERATOR if self.last_shopper_seq > self.last_answer_seq else Awaiting.SHOPPER

    def note(self, entry: Entry) -> None:
        """Keep in step with an entry that was just appended."""
        self.head = entry.seq
        self.updated_at = entry.stored_at
        if entry.kind is not Kind.MESSAGE:
            return
        if entry.author is Author.SHOPPER:
            self.last_shopper_seq, self.last_shopper_at = entry.seq, entry.at
        else:
            self.last_answer_seq = entry.seq
            if entry.author is Author.OPERATOR and self.first_reply_at is None:
                self.first_reply_at = entry.stored_at

    def may(self, move: Move) -> bool:
        """Whether the table has that move from here."""
        return (self.stage, move) in TRANSITIONS

    def make(self, move: Move) -> None:
        """Change the stage by the table; `IllegalTransition` if it has no such move."""
        following = TRANSITIONS.get((self.stage, move))
        if following is None:
            raise IllegalTransition(
                f"#{self.number} is {self.stage}; it cannot {move.replace('_', ' ')} from there.",
                stage=str(self.stage),
            )
        self.stage = following
