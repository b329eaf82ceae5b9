"""The first tables. Case numbers start at 1001, since four digits read better."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "binding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation", sa.Integer(), nullable=False),
        sa.Column("handoff", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("last_order", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=True),
        sa.Column("offer_seq", sa.Integer(), nullable=True),
        sa.Column("permalink", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_binding"),
        sa.UniqueConstraint("platform", "channel", "root", name="uq_binding_platform_channel_root"),
    )
    op.create_index("ix_binding_conversation", "binding", ["conversation"])
    op.create_index("ix_binding_state", "binding", ["platform", "state"])

    op.create_table(
        "body",
        sa.Column("conversation", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("original", sa.String(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("edited_order", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "seq", name="pk_body"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conversation",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("store", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("shopper_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.Column("head", sa.Integer(), nullable=False),
        sa.Column("handoff", sa.Integer(), nullable=False),
        sa.Column("handoffs_ended", sa.Integer(), nullable=False),
        sa.Column("ended_seq", sa.Integer(), nullable=False),
        sa.Column("owned_since", sa.Float(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("guest_id", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("waiting_since", sa.Float(), nullable=True),
        sa.Column("escalated_at", sa.Float(), nullable=True),
        sa.Column("claimed_at", sa.Float(), nullable=True),
        sa.Column("first_reply_at", sa.Float(), nullable=True),
        sa.Column("resolved_at", sa.Float(), nullable=True),
        sa.Column("last_shopper_seq", sa.Integer(), nullable=False),
        sa.Column("last_shopper_at", sa.Float(), nullable=True),
        sa.Column("last_answer_seq", sa.Integer(), nullable=False),
        sa.Column("packet", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_conversation"),
        sa.UniqueConstraint("store", "external_id", name="uq_conversation_store_external_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conversation_claims", "conversation", ["team", "claimed_at"])
    op.create_index("ix_conversation_newest", "conversation", ["updated_at", "number"])
    op.create_index("ix_conversation_queue", "conversation", ["stage", "team", "waiting_since"])
    op.create_index("ix_conversation_shopper", "conversation", ["shopper_id"])

    op.create_table(
        "delivery",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("conversation", sa.Integer(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("op", sa.String(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("binding_id", sa.Integer(), nullable=True),
        sa.Column("remote_id", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("attempted_at", sa.Float(), nullable=False),
        sa.Column("settled_at", sa.Float(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
    )
    op.create_index("ix_delivery_lane", "delivery", ["conversation", "reader", "state"])
    op.create_index("ix_delivery_state", "delivery", ["state", "created_at"])

    op.create_table(
        "due",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("conversation", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "conversation", name="pk_due"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_due_due_at", "due", ["due_at"])

    op.create_table(
        "entry",
        sa.Column("conversation", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("target", sa.Integer(), nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("stored_at", sa.Float(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("handoff", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "seq", name="pk_entry"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_entry_external", "entry", ["conversation", "external_id"])

    op.create_table(
        "inbox",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_inbox"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_inbox_at", "inbox", ["at"])

    op.create_table(
        "lane",
        sa.Column("conversation", sa.Integer(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("not_before", sa.Float(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("fault_since", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("conversation", "reader", name="pk_lane"),
    )
    op.create_index("ix_lane_due", "lane", ["due_at"])

    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "link",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("conversation", sa.Integer(), nullable=False),
        sa.Column("binding_id", sa.Integer(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("mark", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("platform", "channel", "remote_id", name="pk_link"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_link_binding", "link", ["binding_id", "first_seq", "last_seq"])
    op.create_index("ix_link_conversation", "link", ["conversation"])

    op.create_table(
        "operator",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operator"),
        sa.UniqueConstraint("platform", "external_id", name="uq_operator_platform_external_id"),
    )
    op.create_table(
        "presence",
        sa.Column("conversation", sa.Integer(), nullable=False),
        sa.Column("tab", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("hidden_since", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("conversation", "tab", name="pk_presence"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "shopper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("store", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("tier", sa.String(), nullable=True),
        sa.Column("orders_count", sa.Integer(), nullable=True),
        sa.Column("lifetime_value", sa.Float(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("locale", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shopper"),
        sa.UniqueConstraint("store", "external_id", name="uq_shopper_store_external_id"),
    )
    op.create_table(
        "team",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "operator_id", name="pk_team"),
    )

    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('conversation', 1000)")
    else:
        op.execute("ALTER SEQUENCE conversation_number_seq RESTART WITH 1001")


def downgrade() -> None:
    raise NotImplementedError("there is nothing before the first tables")
