"""Every body of the store-facing API (DESIGN §4), and its translation into a command.

The same models make `/openapi.json`, so the docs cannot say anything else than what is checked.
"""

import hashlib
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo

from adapters.storefront.fields import (
    SAFE_INTEGER,
    Address,
    Amount,
    Count,
    Currency,
    Email,
    Id,
    Json,
    Model,
    Moment,
    Paragraph,
    Query,
    Said,
    Short,
    Text,
    said,
)
from bot import commands
from bot.commands import SaidTurn, ShopperFacts, Window

Author = Literal["shopper", "assistant"]
Stage = Literal["open", "waiting", "active", "resolved"]
Priority = Literal["low", "normal", "high", "urgent"]


# --- what a store sends ---------------------------------------------------------------------------------------


class Shopper(Model):
    """Whom it is about. Without an `id`: anonymous for now."""

    id: Id | None = None
    name: Short | None = None
    email: Email | None = None
    tier: Short | None = None
    orders_count: Count | None = None
    lifetime_value: Amount | None = None
    currency: Currency | None = None
    locale: Annotated[Short, Field(max_length=35)] | None = None

    def facts(self) -> ShopperFacts:
        """As the core knows them."""
        return ShopperFacts(**self.model_dump())


class Attachment(Model):
    """A file uploaded before."""

    file_id: Id


Attachments = Annotated[list[Attachment], Field(max_length=20)]


def _file_ids(attachments: list[Attachment] | None) -> tuple[str, ...]:
    return tuple(one.file_id for one in attachments or ())


def _said_or_sent(text: str, info: ValidationInfo) -> str:
    """A file may stand alone. The field `attachments` is read before the text."""
    return text if info.data.get("attachments") else said(text)


SaidOrSent = Annotated[Text, AfterValidator(_said_or_sent)]


class Turn(Model):
    """A line of a transcript. An id makes a repeat recognisable."""

    id: Id | None = None
    author: Author
    text: Text
    at: Moment | None = None
    attachments: Attachments | None = None

    def turn(self) -> SaidTurn:
        """As the core knows it."""
        return SaidTurn(self.author, self.text, self.id, self.at, attachments=_file_ids(self.attachments))


class Reason(Model):
    """Why the store hands over."""

    trigger: Short | None = None
    detail: Paragraph | None = None
    rule: Short | None = None
    evidence: Paragraph | None = None


class Summary(Model):
    """What the assistant makes of it."""

    issue: Paragraph | None = None
    tried: Annotated[list[Paragraph], Field(max_length=50)] | None = None
    sentiment: Short | None = None
    suggested_action: Paragraph | None = None
    suggested_reply: Text | None = None


class Escalation(Model):
    """Hand over now. A repeated `escalation_id` (default: a hash of the body) gets the first answer."""

    conversation_id: Id
    escalation_id: Id | None = None
    channel: Annotated[Id, Field(max_length=50)] = "chat"
    shopper: Shopper | None = None
    reason: Reason | None = None
    category: Short | None = None
    wants: Paragraph | None = None
    priority: Priority | None = None
    summary: Summary | None = None
    collected: Json | None = None
    orders: Annotated[list[Json], Field(max_length=100)] | None = None
    cart: Json | None = None
    page: Address | None = None
    transcript: Annotated[list[Turn], Field(max_length=2_000)]

    def command(self, store: str) -> commands.Escalate:
        """Turns without text (an image, say) show nothing, so they are left out."""
        about = {
            "reason", "category", "wants", "priority", "summary", "collected", "orders", "cart", "page",
        }  # fmt: skip
        return commands.Escalate(
            store=store,
            conversation_id=self.conversation_id,
            fingerprint=hashlib.sha256(self.model_dump_json(exclude_none=True).encode()).hexdigest(),
            escalation_id=self.escalation_id,
            channel=self.channel,
            shopper=self.shopper.facts() if self.shopper else None,
            transcript=tuple(
                turn.turn() for turn in self.transcript if turn.text.strip() or turn.attachments
            ),
            body=self.model_dump(include=about, exclude_none=True),
        )


class Message(Model):
    """One turn of shopper or assistant. The same `id` again: the same answer, nothing new."""

    id: Id
    author: Author
    attachments: Attachments | None = None
    text: SaidOrSent
    at: Moment | None = None
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    shopper: Shopper | None = None
    channel: Annotated[Id, Field(max_length=50)] = "chat"

    def command(self, store: str, conversation_id: str) -> commands.LogTurn:
        """`confidence` travels in the turn's `data`."""
        data = self.model_dump(include={"confidence"}, exclude_none=True)
        turn = SaidTurn(self.author, self.text, self.id, self.at, data, _file_ids(self.attachments))
        shopper = self.shopper.facts() if self.shopper else None
        return commands.LogTurn(store, conversation_id, turn, shopper, self.channel)


class MessageEdit(Model):
    """The message reads differently now. An edit older (`at`) than the newest one changes nothing."""

    text: Said
    at: Moment | None = None

    def command(self, store: str, conversation_id: str, message_id: str, now: float) -> commands.EditTurn:
        """The order is the time, written so that it compares as a string."""
        order = f"{now if self.at is None else self.at:017.6f}"
        return commands.EditTurn(store, conversation_id, message_id, self.text, order)


class Outcome(Model):
    """What came of it. The same `id` again changes nothing."""

    kind: Literal["sale", "refund", "retention", "other"]
    amount: Amount | None = None
    currency: Currency | None = None
    at: Moment | None = None
    id: Id | None = None

    def command(self, store: str, conversation_id: str) -> commands.RecordOutcome:
        """As the core knows it."""
        return commands.RecordOutcome(
            store, conversation_id, self.kind, self.amount, self.currency, self.at, self.id
        )


class TokenRequest(Model):
    """Who opens the widget; an empty `shopper` is an anonymous one."""

    shopper: Shopper
    conversation_id: Id | None = None

    def command(self, store: str) -> commands.IssueToken:
        """As the core knows it."""
        return commands.IssueToken(store, self.shopper.facts(), self.conversation_id)


class EntriesQuery(Query):
    """Which entries of the conversation: those after `after`."""

    after: Annotated[int, Field(ge=0, le=SAFE_INTEGER)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class ListQuery(Query):
    """Which conversations, newest change first. `owner` is a name as the list shows it."""

    stage: Stage | None = None
    team: Annotated[str, Field(max_length=200)] | None = None
    owner: Annotated[str, Field(max_length=200)] | None = None
    cursor: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


# --- what a shopper's window sends ----------------------------------------------------------------------------


class GuestRequest(Model):
    """The store's public key; an old guest token continues its conversation."""

    store: Id
    token: Annotated[str, Field(max_length=4_000)] | None = None


class WidgetMessage(Model):
    """What the shopper wrote. `id` is the window's own, so that a retry counts once."""

    id: Id
    attachments: Attachments | None = None
    text: SaidOrSent

    def command(self, window: Window) -> commands.ShopperWrites:
        """As the core knows it."""
        return commands.ShopperWrites(window, self.id, self.text, _file_ids(self.attachments))


class WidgetAsk(Model):
    """The "Talk to a person" button."""

    id: Id

    def command(self, window: Window) -> commands.ShopperAsksForPerson:
        """As the core knows it."""
        return commands.ShopperAsksForPerson(window, self.id)


class SeenReport(Model):
    """How far this tab has received and shown the log; also says that the tab lives."""

    delivered: Count
    seen: Count
    hidden: bool
    tab: Id

    def command(self, window: Window) -> commands.Seen:
        """As the core knows it."""
        return commands.Seen(window, self.tab, self.delivered, self.seen, self.hidden)


class Beacon(Model):
    """A tab is closed. A beacon cannot set headers: the token is in its body, sent as text/plain."""

    token: Annotated[str, Field(max_length=4_000)]
    tab: Id


# --- what comes back; for the docs ----------------------------------------------------------------------------


class ErrorFacts(BaseModel):
    """What went wrong, why, and what to change."""

    code: str
    message: str
    field: str | None


class Error(BaseModel):
    """Every error of this API."""

    error: ErrorFacts


class Trigger(BaseModel):
    """What made a turn escalate."""

    kind: str
    rule: str | None
    evidence: str | None


class Logged(BaseModel):
    """A turn is in the log. While `assistant_may_reply` is false a person is in control."""

    escalated: bool
    trigger: Trigger | None
    assistant_may_reply: bool
    seq: int


class Uploaded(BaseModel):
    """The file is here, under the name and type it will be passed on with."""

    file_id: str
    name: str
    mime: str
    size: int
    sha256: str


class StoreFile(BaseModel):
    """A file of a message. The address is signed and good for seven days; read the entry again for a new one."""

    id: str
    name: str
    mime: str
    size: int
    url: str


class StoreEntry(BaseModel):
    """One line of the log, with its newest text; `text` is empty once deleted."""

    seq: int
    kind: str
    author: str
    name: str | None
    text: str
    at: str
    id: str | None
    source: str | None
    late: bool
    edited: bool | None = None
    deleted: bool | None = None
    target: int | None = None
    code: str | None = None
    files: list[StoreFile] | None = None


class ConversationRow(BaseModel):
    """A conversation without its log. Times are ISO 8601."""

    id: str
    number: int
    stage: Stage
    owner: str | None
    team: str
    category: str | None
    priority: Priority
    position: int | None
    estimated_wait_seconds: int | None
    awaiting: Literal["shopper", "operator", "nobody"]
    channel: str
    shopper_id: str | None
    created_at: str
    updated_at: str


class ConversationView(ConversationRow):
    """A conversation with its packet and entries; ask again with `after=next_after` for more."""

    packet: dict[str, Any] | None
    entries: list[StoreEntry]
    next_after: int | None


class ConversationList(BaseModel):
    """A page; ask again with `cursor` for the next one."""

    conversations: list[ConversationRow]
    cursor: str | None


class Token(BaseModel):
    """A widget token. `expires_at` is ISO 8601."""

    token: str
    expires_at: str
    conversation_id: str


class Written(BaseModel):
    """The message is in the log under that number."""

    seq: int
    id: str
    at: str
