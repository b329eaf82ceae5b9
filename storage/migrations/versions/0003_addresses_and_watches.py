"""Shoppers are found by their address; cases that waited before anybody watched them are watched from now on."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_WATCHED = """
INSERT INTO due (kind, conversation, due_at)
SELECT '{kind}', number, COALESCE(waiting_since, escalated_at, created_at) FROM conversation
WHERE {which}
AND NOT EXISTS (SELECT 1 FROM due WHERE due.kind = '{kind}' AND due.conversation = conversation.number)
"""
"""Due since they began to wait: what runs them decides whether there is anything to say, and when next."""


def upgrade() -> None:
    op.create_index("ix_shopper_email", "shopper", [sa.text("lower(email)")])
    op.execute(_WATCHED.format(kind="nobody", which="stage = 'waiting'"))
    unanswered = "stage IN ('waiting', 'active') AND first_reply_at IS NULL AND escalated_at IS NOT NULL"
    op.execute(_WATCHED.format(kind="late", which=unanswered))


def downgrade() -> None:
    raise NotImplementedError("going back would lose what people wrote")
