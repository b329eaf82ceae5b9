"""Every table, as SQLModel classes. The columns carry the same names as the core's dataclasses.

Times are Unix seconds (UTC) in double precision, which SQLite and PostgreSQL compare alike. Enums are stored by
value, as text. Only `body` and `delivery.content` hold what people wrote, so that erasure has two places to blank.
"""

from typing import Any

from sqlalchemy import JSON, Index, Table, UniqueConstraint, text
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING

METADATA = SQLModel.metadata


class ShopperRow(SQLModel, table=True):
    """A store's customer."""

    __tablename__ = "shopper"
    __table_args__ = (
        UniqueConstraint("store", "external_id"),
        Index(
            "ix_shopper_email", text("lower(email)")
        ),  # whoever writes an address writes it in any capitals
    )

    id: int | None = Field(default=None, primary_key=True)
    store: str
    external_id: str
    created_at: float
    anonymous: bool = False
    name: str | None = None
    email: str | None = None
    tier: str | None = None
    orders_count: int | None = None
    lifetime_value: float | None = None
    currency: str | None = None
    locale: str | None = None


class ConversationRow(SQLModel, table=True):
    """A conversation; its primary key is the case number."""

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("store", "external_id"),
        Index("ix_conversation_queue", "stage", "team", "waiting_since"),
        Index("ix_conversation_newest", "updated_at", "number"),
        Index("ix_conversation_shopper", "shopper_id"),
        Index("ix_conversation_claims", "team", "claimed_at"),
        {"sqlite_autoincrement": True},
    )

    number: int | None = Field(default=None, primary_key=True)
    store: str
    external_id: str
    shopper_id: int
    channel: str
    stage: str
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
    packet: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    tags: list[str] = Field(default_factory=list, sa_type=JSON)
    snoozed_until: float | None = None
    outcome: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))


class EntryRow(SQLModel, table=True):
    """One line of a log. Never updated."""

    __tablename__ = "entry"
    __table_args__ = (
        Index("ix_entry_external", "conversation", "external_id"),
        {"sqlite_with_rowid": False},
    )

    conversation: int = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    kind: str
    audience: str
    author: str
    operator_id: int | None = None
    name: str | None = None
    source: str = ""
    external_id: str | None = None
    target: int | None = None
    at: float
    stored_at: float
    late: bool = False
    handoff: int = 0


class BodyRow(SQLModel, table=True):
    """The erasable part of an entry. `original` is what an edited message said first; for the team's audit only."""

    __tablename__ = "body"
    __table_args__ = ({"sqlite_with_rowid": False},)

    conversation: int = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    text: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    original: str | None = None
    deleted: bool = False
    edited: bool = False
    edited_order: str = ""


class LaneRow(SQLModel, table=True):
    """A conversation × reader."""

    __tablename__ = "lane"
    __table_args__ = (Index("ix_lane_due", "due_at"),)

    conversation: int = Field(primary_key=True)
    reader: str = Field(primary_key=True)
    position: int = 0
    due_at: float | None = None
    not_before: float = 0.0
    lease_owner: str | None = None
    lease_until: float = 0.0
    faults: int = 0
    fault: str | None = None
    fault_since: float | None = None


class DeliveryRow(SQLModel, table=True):
    """One call to a platform."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_lane", "conversation", "reader", "state"),
        Index("ix_delivery_state", "state", "created_at"),
    )

    id: str = Field(primary_key=True)
    conversation: int
    reader: str
    op: str
    first_seq: int
    last_seq: int
    part: int
    parts: int
    state: str
    created_at: float
    content: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    binding_id: int | None = None
    remote_id: str | None = None
    attempt: int = 0
    attempted_at: float = 0.0
    settled_at: float | None = None
    error: str | None = None


class BindingRow(SQLModel, table=True):
    """Where a handoff's thread is."""

    __tablename__ = "binding"
    __table_args__ = (
        UniqueConstraint("platform", "channel", "root"),
        Index("ix_binding_conversation", "conversation"),
        Index("ix_binding_state", "platform", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    conversation: int
    handoff: int
    platform: str
    channel: str
    root: str
    state: str
    first_seq: int
    last_seq: int
    created_at: float
    last_order: str = ""
    offer_id: str | None = None
    offer_seq: int | None = None
    permalink: str | None = None


class LinkRow(SQLModel, table=True):
    """One post and the entries it shows."""

    __tablename__ = "link"
    __table_args__ = (
        Index("ix_link_binding", "binding_id", "first_seq", "last_seq"),
        Index("ix_link_conversation", "conversation"),
        {"sqlite_with_rowid": False},
    )

    platform: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    remote_id: str = Field(primary_key=True)
    conversation: int
    binding_id: int
    first_seq: int
    last_seq: int
    part: int = 0
    ours: bool = True
    mark: str | None = None


class InboxRow(SQLModel, table=True):
    """What has happened already, and what was answered."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_at", "at"), {"sqlite_with_rowid": False})

    key: str = Field(primary_key=True)
    at: float
    answer: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class OperatorRow(SQLModel, table=True):
    """A person of the team, one per platform account."""

    __tablename__ = "operator"
    __table_args__ = (UniqueConstraint("platform", "external_id"),)

    id: int | None = Field(default=None, primary_key=True)
    platform: str
    external_id: str
    name: str
    first_name: str
    role: str = "operator"
    away_since: float | None = None
    away_until: float | None = None
    present: bool | None = None
    active: bool = True


class TeamRow(SQLModel, table=True):
    """Who can answer for a team, as its chat told last."""

    __tablename__ = "team"

    name: str = Field(primary_key=True)
    operator_id: int = Field(primary_key=True)


class PresenceRow(SQLModel, table=True):
    """One open tab of a shopper."""

    __tablename__ = "presence"
    __table_args__ = ({"sqlite_with_rowid": False},)

    conversation: int = Field(primary_key=True)
    tab: str = Field(primary_key=True)
    at: float
    delivered: int = 0
    seen: int = 0
    hidden: bool = False
    hidden_since: float | None = None


class DueRow(SQLModel, table=True):
    """Something that must happen at a time; one per kind and conversation."""

    __tablename__ = "due"
    __table_args__ = (Index("ix_due_due_at", "due_at"), {"sqlite_with_rowid": False})

    kind: str = Field(primary_key=True)
    conversation: int = Field(primary_key=True)
    due_at: float


class HeldRow(SQLModel, table=True):
    """An operator's message that waits before it leaves. The text is here until it is an entry."""

    __tablename__ = "held"
    __table_args__ = (Index("ix_held_conversation", "conversation"), {"sqlite_with_rowid": False})

    platform: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    remote_id: str = Field(primary_key=True)
    conversation: int
    binding_id: int
    operator_id: int
    order: str
    at: float
    due_at: float
    text: str
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    edited_order: str = ""


class FileRow(SQLModel, table=True):
    """A file that was passed on, or is about to be. Its bytes lie in the file store under `id`."""

    __tablename__ = "file"
    __table_args__ = (Index("ix_file_conversation", "conversation"), {"sqlite_with_rowid": False})

    id: str = Field(primary_key=True)
    store: str
    conversation: int | None = None
    name: str
    mime: str
    size: int
    created_at: float


class LeaseRow(SQLModel, table=True):
    """Which replica does what only one should do at a time. It saves work; correctness does not rest on it."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    until: float


def table(row: type[SQLModel]) -> Table:
    """The Core table behind a class; statements here are Core, in bulk."""
    found: Table = row.__table__  # type: ignore[attr-defined]
    return found
