"""media

Revision: 0005
Follows: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LOST_BY_DOWNGRADE = {
    "attached files, of which the store keeps bytes that nobody knows": "FROM media",
    "deletions that the store still has to do": "FROM media_removals",
    "words by which the database knows its objects": "FROM installation WHERE name = 'objects'",
}
"""What goes when this step is taken back, in words, and the rows that have it."""


def upgrade() -> None:
    # A migration that waits for a lock makes every request behind it wait too: rather give up soon, and try again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.create_table(
        "media",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column(
            "object_key", sa.Text(collation="C"), nullable=False, comment="random, with nothing of the account in it"
        ),
        sa.Column("media_type", sa.Text(collation="C"), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="of the ciphertext, as the digests are"),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column(
            "parts",
            sa.LargeBinary(),
            nullable=True,
            comment="size (4 bytes) and SHA-256 of each, if it comes in parts",
        ),
        sa.Column(
            "upload_id", sa.Text(collation="C"), nullable=True, comment="the store's word for the upload in parts"
        ),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "touched_at", sa.DateTime(timezone=True), nullable=False, comment="when its upload was last heard of"
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('uploading', 'stored')", name=op.f("ck_media_state")),
        sa.PrimaryKeyConstraint("user_id", "media_id", name=op.f("pk_media")),
    )
    op.create_index("ix_media_created", "media", ["user_id", "created_at", "media_id"])
    op.create_index("ix_media_object_key", "media", ["object_key"])
    op.create_index("ix_media_unfinished", "media", ["touched_at"], postgresql_where=sa.text("state = 'uploading'"))
    op.create_index("ix_media_deleted", "media", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL"))
    # Digests, which no compression shortens.
    op.execute("ALTER TABLE media ALTER COLUMN parts SET STORAGE EXTERNAL")
    op.create_table(
        "media_removals",
        sa.Column("object_key", sa.Text(collation="C"), nullable=False),
        sa.Column("upload_id", sa.Text(collation="C"), nullable=True),
        sa.Column("staged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_media_removals")),
    )
    op.create_index("ix_media_removals_staged_at", "media_removals", ["staged_at"])
    # What the keys of this database's objects begin with: where another database has objects in the same bucket,
    # neither takes the other's for its own lost ones.
    op.execute(
        "INSERT INTO installation (name, value)"
        " VALUES ('objects', substr(replace(gen_random_uuid()::text, '-', ''), 1, 8))"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DELETE FROM installation WHERE name = 'objects'")
    op.drop_table("media_removals")
    op.drop_table("media")
