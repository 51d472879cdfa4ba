"""search

Revision: 0006
Follows: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LOST_BY_DOWNGRADE = {
    "documents of search indexes, which can be built again": "FROM search_documents",
    "search indexes": "FROM search_indexes",
}
"""What goes when this step is taken back, in words, and the rows that have it."""


def upgrade() -> None:
    # A migration that waits for a lock makes every request behind it wait too: rather give up soon, and try again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.create_table(
        "search_indexes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column(
            "language", sa.Text(collation="C"), nullable=False, comment="by which words are brought to their stems"
        ),
        sa.Column("complete", sa.Boolean(), nullable=False, comment="whether every entry is in it"),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True, comment="that builds it, or built it last"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_search_indexes")),
    )
    op.create_table(
        "search_documents",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="of the record: its number within the account"),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of the record: the date by which it is listed",
        ),
        sa.Column("tokens", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "record_id", name=op.f("pk_search_documents")),
    )
    # Digests, which no compression shortens.
    op.execute("ALTER TABLE search_documents ALTER COLUMN tokens SET STORAGE EXTERNAL")
    op.create_index(
        "ix_search_documents_tokens",
        "search_documents",
        ["tokens"],
        unique=False,
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_search_documents_tokens", table_name="search_documents", postgresql_using="gin")
    op.drop_table("search_documents")
    op.drop_table("search_indexes")
