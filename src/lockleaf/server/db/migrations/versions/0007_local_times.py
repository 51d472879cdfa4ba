"""local times

Revision: 0007
Follows: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that waits for a lock makes every request behind it wait too: rather give up soon, and try again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.add_column(
        "records",
        sa.Column(
            "local_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="of an entry: what the clock showed where it was written, as if that were UTC",
        ),
    )
    # Until now dates came in UTC.
    op.execute("UPDATE records SET local_at = occurred_at WHERE collection = 'entries' AND occurred_at IS NOT NULL")
    op.drop_index("ix_records_date", table_name="records")
    op.create_index(
        "ix_records_date",
        "records",
        ["user_id", sa.text("COALESCE(local_at, created_at)"), "record_id"],
        unique=False,
        postgresql_where=sa.text("collection = 'entries'"),
    )
    op.alter_column(
        "search_documents",
        "at",
        existing_type=sa.DateTime(timezone=True),
        existing_nullable=False,
        existing_comment="of the record: the date by which it is listed",
        comment="of the record: the local time by which it is listed",
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.alter_column(
        "search_documents",
        "at",
        existing_type=sa.DateTime(timezone=True),
        existing_nullable=False,
        existing_comment="of the record: the local time by which it is listed",
        comment="of the record: the date by which it is listed",
    )
    op.drop_index("ix_records_date", table_name="records")
    op.create_index(
        "ix_records_date",
        "records",
        ["user_id", sa.text("COALESCE(occurred_at, created_at)"), "record_id"],
        unique=False,
        postgresql_where=sa.text("collection = 'entries'"),
    )
    op.drop_column("records", "local_at")
