"""What Baton says in a team's chat, before any platform renders it.

Every string here may come from a shopper or a store: a renderer escapes all of it. Texts are Markdown (the small
subset the widget shows); `mentions` are platform ids and the only things that may ping a person.
All of it turns into plain dicts and back, since a delivery's content is frozen in the database.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bot.entries import Author


class Action(StrEnum):
    """What a button does. The value that travels with it is `number` or `number:seq`."""

    CLAIM = "claim"
    RELEASE = "release"
    HAND_BACK = "handback"
    RESOLVE = "resolve"
    CLAIM_AND_SEND = "claim_and_send"  # an unclaimed case: take it and send that message
    SEND = "send"  # the owner's own aside: send it after all
    SEND_AS_ME = "send_as_me"  # a colleague's message leaves under the name of who clicks
    TAKE_OVER = "take_over"  # become the owner and send it
    REOPEN_AND_SEND = "reopen_and_send"
    STEP_IN = "step_in"  # a lead becomes the owner of somebody's case
    ASSIGN = "assign"  # from here on: opens a form
    MOVE = "move"
    PRIORITY = "priority"
    SNOOZE = "snooze"
    TAG = "tag"
    NOTE = "note"
    SAVED_REPLY = "saved_reply"
    OUTCOME = "outcome"
    SHOW = "show"  # the whole case, to the one who asks
    RETRY = "retry"  # a dead letter
    HAND_OVER = "hand_over"  # one of my open cases back to the queue, since I am going
    SHARE_OUT = "share_out"  # a brief's cases to who is there; its value is `team:number,number`
    PAGE = "page"  # another page of a listing; its value says which


@dataclass(frozen=True, slots=True)
class Button:
    """One button. `style` is primary, danger or None; `confirm` is a question to ask first."""

    action: Action
    label: str
    value: str
    style: str | None = None
    confirm: str | None = None


FORMS = frozenset({Action.ASSIGN, Action.MOVE, Action.PRIORITY, Action.SNOOZE, Action.TAG, Action.NOTE,
                   Action.SAVED_REPLY, Action.OUTCOME})  # fmt: skip
"""Buttons that first ask for something."""


@dataclass(frozen=True, slots=True)
class Field:
    """A labelled line of the card."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """A case's newest state, shown in the thread's root.

    `status` says who has it and since when; `urgent` asks for the eye. `since` is the Unix time the status began.
    `menu` is what is done less often: an overflow menu, or as the platform can.
    `team` is whose case it was when this was rendered: a thread is opened in that team's place, whatever comes after.
    """

    number: int
    title: str
    status: str
    stage: str
    since: float | None
    fields: tuple[Field, ...] = ()
    quote: str | None = None
    suggestion: str | None = None
    buttons: tuple[Button, ...] = ()
    mentions: tuple[str, ...] = ()
    urgent: bool = False
    footer: str = ""
    menu: tuple[Button, ...] = ()
    team: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For the delivery's frozen content."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Card":
        """The inverse of `as_dict`."""
        special = {"fields", "buttons", "menu", "mentions"}
        rest = {key: value for key, value in data.items() if key not in special}
        return cls(
            **rest,
            fields=tuple(Field(**item) for item in data.get("fields", ())),
            buttons=_buttons(data),
            menu=_buttons(data, "menu"),
            mentions=tuple(data.get("mentions", ())),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One case in a listing: a line or two about it, and what can be done."""

    number: int
    text: str
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command is answered, seen by the one who asked only: a text, or a listing below it. `again` is what a
    `PAGE` button would carry to bring the same listing anew; empty where there is none."""

    text: str
    rows: tuple[Row, ...] = ()
    buttons: tuple[Button, ...] = ()
    again: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as a line of a transcript. `speaker` is the name to show in bold; `at` Unix seconds."""

    seq: int
    author: Author
    speaker: str
    text: str
    at: float
    note: str = ""  # "edited", "late", "removed"


class PostKind(StrEnum):
    """How a post looks."""

    TURNS = "turns"  # what was said: one turn, or a packed transcript
    LINE = "line"  # one quiet line: claimed, released, resolved
    OFFER = "offer"  # buttons beside an aside
    ALERT = "alert"  # something needs the owner


@dataclass(frozen=True, slots=True)
class Post:
    """One post in a thread. Either `turns` or `text`; `part` of `parts` when a long one was split."""

    kind: PostKind
    text: str = ""
    turns: tuple[Turn, ...] = ()
    mentions: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    part: int = 0
    parts: int = 1

    @property
    def span(self) -> tuple[int, int]:
        """The first and last entry its turns show; (0, 0) for a line."""
        return (self.turns[0].seq, self.turns[-1].seq) if self.turns else (0, 0)

    def as_dict(self) -> dict[str, Any]:
        """For the delivery's frozen content."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Post":
        """The inverse of `as_dict`."""
        return cls(
            kind=PostKind(data["kind"]),
            text=data.get("text", ""),
            turns=tuple(Turn(**{**turn, "author": Author(turn["author"])}) for turn in data.get("turns", ())),
            mentions=tuple(data.get("mentions", ())),
            buttons=_buttons(data),
            part=data.get("part", 0),
            parts=data.get("parts", 1),
        )


def _buttons(data: dict[str, Any], name: str = "buttons") -> tuple[Button, ...]:
    return tuple(Button(**{**item, "action": Action(item["action"])}) for item in data.get(name, ()))


class Receipt(StrEnum):
    """The newest state of an operator's message, shown as a reaction on it."""

    PENDING = "pending"  # ⏳ not with the shopper yet
    DELIVERED = "delivered"  # ✅ a stream confirmed it
    SEEN = "seen"  # 👀
    MAILED = "mailed"  # 📧
    FAILED = "failed"  # ⚠️
    INSIDE = "inside"  # 🔒 it stays in the team


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thread is. `root` is empty before the thread is opened."""

    platform: str
    channel: str
    root: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """What a platform answers: its id of the post, and the channel's own id."""

    remote_id: str
    channel: str
    permalink: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of a thread as its history shows it. `order` compares as a string; `edited_order` is empty
    when it was never edited; `addressed` is "bot" or "person" when it begins with a mention. In a history,
    `extra["actor"]` says who the author is (name and role), and `extra["stopped_by"]` which actors put 🛑 on it."""

    id: str
    order: str
    author_id: str
    text: str
    at: float
    edited_order: str = ""
    addressed: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
