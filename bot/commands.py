"""What can be asked of Baton, as frozen values. One handler each (see `bot.handlers`).

Times are Unix seconds (UTC). `store` and `conversation_id` are the store's names for things; `number` is ours.
"""

from dataclasses import dataclass, field
from typing import Any

from bot.entries import Reader
from bot.files import File
from bot.people import Actor, Member
from bot.posts import Action, Heard, Place, Posted

OUTCOMES = ("sale", "refund", "retention", "other")
PRIORITIES = ("low", "normal", "high", "urgent")


@dataclass(frozen=True, slots=True)
class ShopperFacts:
    """What a store says of a shopper; `id` None: anonymous for now."""

    id: str | None = None
    name: str | None = None
    email: str | None = None
    tier: str | None = None
    orders_count: int | None = None
    lifetime_value: float | None = None
    currency: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """A turn of a transcript or a message of the store's. `id` None: derived from author, text and `at`."""

    author: str  # "shopper" | "assistant"
    text: str
    id: str | None = None
    at: float | None = None
    data: dict[str, Any] = field(default_factory=dict)
    attachments: tuple[str, ...] = ()  # file ids


# --- what a store's backend asks ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Escalate:
    """Hand over now. `body` holds the optional parts of DESIGN §4's body as given (summary, orders, …)."""

    store: str
    conversation_id: str
    fingerprint: str  # the hash of the body, for the default escalation id
    escalation_id: str | None = None
    channel: str = "chat"
    shopper: ShopperFacts | None = None
    transcript: tuple[SaidTurn, ...] = ()
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogTurn:
    """Log one turn of shopper or assistant; may escalate by itself."""

    store: str
    conversation_id: str
    turn: SaidTurn
    shopper: ShopperFacts | None = None
    channel: str = "chat"


@dataclass(frozen=True, slots=True)
class EditTurn:
    """The store says a message reads differently now."""

    store: str
    conversation_id: str
    message_id: str
    text: str
    order: str


@dataclass(frozen=True, slots=True)
class DeleteTurn:
    """The store says a message was removed."""

    store: str
    conversation_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class ResolveByStore:
    """The store's backend closes the conversation."""

    store: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class HandBackByStore:
    """The store's backend gives the shopper back to the assistant."""

    store: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What came of it: a sale, a refund, a retention, something else."""

    store: str
    conversation_id: str
    kind: str
    amount: float | None = None
    currency: str | None = None
    at: float | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class IssueToken:
    """A store's backend (or the guest route) wants a widget token: who, and for which conversation.

    Answers `{"shopper_id", "conversation_id"}`: what the token has to carry.
    """

    store: str
    shopper: ShopperFacts
    conversation_id: str | None = None


# --- what a shopper's window asks; the token fixes store, shopper and conversation ----------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """Whose window it is, as its token says."""

    store: str
    shopper_id: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class ShopperWrites:
    """A message typed into the widget. `id` is the window's own, so that a retry counts once."""

    window: Window
    id: str
    text: str
    attachments: tuple[str, ...] = ()  # file ids


@dataclass(frozen=True, slots=True)
class KeepFile:
    """An upload's bytes are stored. `window` None: from the store's backend, for any of its conversations."""

    file: File
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class ShopperAsksForPerson:
    """The "Talk to a person" button."""

    window: Window
    id: str


@dataclass(frozen=True, slots=True)
class ShopperHandsBack:
    """The "Continue with the assistant" button."""

    window: Window


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tab has received and shown."""

    window: Window
    tab: str
    delivered: int
    seen: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class Goodbye:
    """A tab is closed."""

    window: Window
    tab: str


@dataclass(frozen=True, slots=True)
class Typing:
    """The shopper types."""

    window: Window


@dataclass(frozen=True, slots=True)
class OperatorTypes:
    """Somebody types in a case's thread, where the platform tells."""

    place: Place
    actor: Actor


# --- what operators ask ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claim:
    """One compare-and-set: one winner. `take_over`: a lead who was asked means it, although somebody has the case;
    `owner`: the row of whom they were asked about, so that nobody else loses it."""

    number: int
    actor: Actor
    take_over: bool = False
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the case to `to`. A lead may always; an operator an unowned case, the owner theirs."""

    number: int
    actor: Actor
    to: Actor


@dataclass(frozen=True, slots=True)
class Release:
    """Back to the queue, at its old place. `own`: only if whoever asks has it still."""

    number: int
    actor: Actor
    own: bool = False


@dataclass(frozen=True, slots=True)
class HandBack:
    """Back to the assistant."""

    number: int
    actor: Actor


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case: `kind` is one of `OUTCOMES`."""

    kind: str
    amount: float | None = None
    currency: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Resolve:
    """Done. `outcome` may be added now or later."""

    number: int
    actor: Actor
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class AddOutcome:
    """Record what came of it, during the case or later."""

    number: int
    actor: Actor
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class MoveToTeam:
    """Another team's case from now on: its channel, its hours, its queue. A lead's to do, or the owner's."""

    number: int
    actor: Actor
    team: str


@dataclass(frozen=True, slots=True)
class SetPriority:
    """One of `PRIORITIES`."""

    number: int
    actor: Actor
    priority: str


@dataclass(frozen=True, slots=True)
class SetTags:
    """All of a case's tags, as they shall be. `shown`: up to which entry of the log somebody was shown those that they
    changed here; what a colleague has changed since then stays."""

    number: int
    actor: Actor
    tags: tuple[str, ...]
    shown: int | None = None


@dataclass(frozen=True, slots=True)
class Snooze:
    """Out of sight until then; a claim or the shopper ends it. `until` None: end it now."""

    number: int
    actor: Actor
    until: float | None


@dataclass(frozen=True, slots=True)
class AddNote:
    """Something for the team only. `id` is the form's own, so that a retry counts once."""

    number: int
    actor: Actor
    text: str
    id: str


@dataclass(frozen=True, slots=True)
class GoAway:
    """Nothing new for this operator for a while; their cases stay theirs. `until` None: until they come back."""

    actor: Actor
    until: float | None = None


@dataclass(frozen=True, slots=True)
class ComeBack:
    """There again."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class Perform:
    """A verb as somebody wrote it ("assign @bob", "resolve sale 129"), for the case `number` unless it names one.
    `people` are the accounts that stand in its words as `@1`, `@2` …; `id` names the request, so that a retry counts
    once."""

    text: str
    actor: Actor
    number: int | None = None
    people: tuple[Actor, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class SendAside:
    """A button of an offer: let that aside leave. `action` says as whom and with what before it."""

    number: int
    seq: int
    action: Action
    actor: Actor


@dataclass(frozen=True, slots=True)
class OperatorWrites:
    """A reply typed into the console or a form. `id` is the page's own; `source` names where: a form's was read over
    before, so that it is not held."""

    number: int
    actor: Actor
    text: str
    id: str
    source: str = "console"
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeBack:
    """A reply typed into the console, which is held, must not leave. `id` is what the page called it."""

    number: int
    actor: Actor
    id: str
    source: str = "console"


# --- what happens in a thread ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """A person wrote in a thread. `root` names the thread, `heard` what they wrote. `live` False: it was read in the
    thread's history, so that nobody waits for the answer."""

    place: Place
    heard: Heard
    actor: Actor
    live: bool = True


@dataclass(frozen=True, slots=True)
class ThreadEdit:
    """A person's message reads differently now; `heard.edited_order` says since when. Of the files it had, those that
    `heard.extra["files"]` does not name are removed."""

    place: Place
    heard: Heard
    actor: Actor


@dataclass(frozen=True, slots=True)
class ThreadDelete:
    """A person removed their message."""

    place: Place
    message_id: str
    order: str


@dataclass(frozen=True, slots=True)
class FileDeleted:
    """A file is gone from the platform, out of whatever message has shown it. `file_id` is the platform's."""

    platform: str
    file_id: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """🛑: an operator's held message must not leave."""

    place: Place
    message_id: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A thread's history is about to be read (`done`: has been) after a gap: what is held there waits for that, since
    it may have been taken back meanwhile."""

    place: Place
    done: bool = False


@dataclass(frozen=True, slots=True)
class SendMessage:
    """A message shortcut: let what stands at that place leave after all, as whoever asks may."""

    place: Place
    message_id: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class RootDeleted:
    """A thread's root is gone."""

    place: Place


@dataclass(frozen=True, slots=True)
class TeamMembers:
    """Who can answer for a team now, as its chat tells."""

    team: str
    members: tuple[Member, ...]
    whole: bool = True  # False: only those who are present, so that who is missing may still belong to it


@dataclass(frozen=True, slots=True)
class ShareOut:
    """The brief's button: those cases to who is there, in turns. A lead's to do."""

    team_asked: str
    numbers: tuple[int, ...]
    actor: Actor


@dataclass(frozen=True, slots=True)
class OpenBrief:
    """A team's first hour has begun. `day` is the local date, so that there is one brief a day."""

    team: str
    day: str


@dataclass(frozen=True, slots=True)
class Told:
    """May this be said now? True for the first that asks with this key."""

    key: str


@dataclass(frozen=True, slots=True)
class ChannelGone:
    """Open threads in that channel can be used no more."""

    platform: str
    channel: str


@dataclass(frozen=True, slots=True)
class PlaceBroken:
    """A team's place in its chat does not work. True for the first that says so, until it is mended."""

    team: str


@dataclass(frozen=True, slots=True)
class PlaceMended:
    """A team's place in its chat works again. True for the first that says so of a place that was broken."""

    team: str


# --- the courier's own ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settled:
    """How a call ended. Exactly one of: `posted` or `done`, `missing` (looked and not there), a fault."""

    delivery_id: str
    done: bool = False
    posted: Posted | None = None
    missing: bool = False
    looked_at: float | None = None  # when the look that found nothing began
    fault: str | None = None  # "place" | "root" | "entry" | "unsure"
    reason: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """Record how the lane's last call ended and get the next one, in one transaction. `stop`: only record."""

    number: int
    reader: Reader
    holder: str
    settled: Settled | None = None
    stop: bool = False


@dataclass(frozen=True, slots=True)
class SweepFiles:
    """Forget uploads that nobody used within a day. Answers their ids."""


@dataclass(frozen=True, slots=True)
class FileFetched:
    """An operator's file is in our store: what it is, by its bytes."""

    number: int
    seq: int
    file: File


@dataclass(frozen=True, slots=True)
class FileHeldUp:
    """An operator's file cannot be passed on: never (`final`), or not before somebody does what `reason` says."""

    number: int
    seq: int
    file_id: str
    reason: str
    final: bool


@dataclass(frozen=True, slots=True)
class RunDue:
    """A due row is ripe."""

    kind: str
    number: int
    due_at: float


@dataclass(frozen=True, slots=True)
class HoldLease:
    """Take or renew a lease on work that one replica does at a time. It ends by itself. `take`: even if another one has
    it."""

    name: str
    holder: str
    seconds: float
    take: bool = False


@dataclass(frozen=True, slots=True)
class Attend:
    """A replica lives, for so many seconds more. The answer: how many live, this one among them."""

    replica: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Leave:
    """A replica stops, and need not be counted any more."""

    replica: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Something an adapter has to find again after a restart, under a name of its own. `value` is kept if what is kept
    now is `instead_of`; without one it is only asked for. The answer: what is kept now, empty for nothing."""

    name: str
    value: str | None = None
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class RetryDead:
    """Replay a dead letter with the newest text. `actor` None: from the terminal."""

    delivery_id: str
    actor: Actor | None = None


def from_button(action: Action, value: str, actor: Actor) -> Any:
    """The command behind a button. `value` is `number` or `number:seq` (to step in: `number:owner`), or as the action
    says; ValueError if it is not, or if the button only shows or asks something."""
    if action is Action.SHARE_OUT:
        team, _, numbers = value.partition(":")
        return ShareOut(team, tuple(int(one) for one in numbers.split(",")), actor)
    if action is Action.RETRY:
        return RetryDead(value, actor)
    number, _, seq = value.partition(":")
    if action is Action.STEP_IN:
        return Claim(int(number), actor, take_over=True, owner=int(seq) if seq else None)
    if action is Action.HAND_OVER:
        return Release(int(number), actor, own=True)
    plain = {
        Action.CLAIM: Claim,
        Action.RELEASE: Release,
        Action.HAND_BACK: HandBack,
        Action.RESOLVE: Resolve,
    }
    if action in plain:
        return plain[action](int(number), actor)
    return SendAside(int(number), int(seq), action, actor)
