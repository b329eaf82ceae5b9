"""What operators and leads do with a case: tags, snooze, outcome, away; held messages; files."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("conversation", sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("conversation", sa.Column("snoozed_until", sa.Float(), nullable=True))
    op.add_column("conversation", sa.Column("outcome", sa.JSON(none_as_null=True), nullable=True))

    op.add_column("operator", sa.Column("away_since", sa.Float(), nullable=True))
    op.add_column("operator", sa.Column("away_until", sa.Float(), nullable=True))
    op.add_column("operator", sa.Column("present", sa.Boolean(), nullable=True))
    op.add_column("operator", sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()))

    op.create_table(
        "held",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("conversation", sa.Integer(), nullable=False),
        sa.Column("binding_id", sa.Integer(), nullable=False),
        sa.Column("operator_id", sa.Integer(), nullable=False),
        sa.Column("order", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("edited_order", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "channel", "remote_id", name="pk_held"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_held_conversation", "held", ["conversation"])

    op.create_table(
        "file",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("store", sa.String(), nullable=False),
        sa.Column("conversation", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("mime", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_file"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_file_conversation", "file", ["conversation"])


def downgrade() -> None:
    raise NotImplementedError("going back would lose what people wrote")
