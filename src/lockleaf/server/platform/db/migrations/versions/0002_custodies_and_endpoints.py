"""both custodies, jobs, inbox, archives

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LOST_BY_DOWNGRADE = {
    "salts of uce accounts, without which nobody opens their entries again": "FROM accounts WHERE kek_salt IS NOT NULL",
    "dates at which deleted records were purged": "FROM records WHERE purged_at IS NOT NULL",
    "revisions that conflicts are about": "FROM conflicts WHERE remote_revision IS NOT NULL",
    "items of inboxes": "FROM inbox",
    "keys for metrics": "FROM he_public_keys",
    "consents": "FROM consents",
    "archives": "FROM archives",
    "parts of archives": "FROM archive_parts",
    "notes of when content was opened": "FROM accesses",
    "jobs": "FROM jobs",
    "keys of sessions, whose users log in again": "FROM session_keys",
    "notes of the installation": "FROM installation",
}
"""What goes when this step is taken back, in words, and the rows that have it."""


def upgrade() -> None:
    # A migration that waits for a lock makes every request behind it wait too: rather give up soon, and try again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.create_table(
        "accesses",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Text(collation="C"),
            nullable=False,
            comment="which endpoint asked: entries.read, tags.write, ...",
        ),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False, comment="how many records were opened or sealed"),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "hour", "session_id", "purpose", name=op.f("pk_accesses")),
    )
    op.create_table(
        "archive_parts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "job_id", "part", name=op.f("pk_archive_parts")),
    )
    op.create_table(
        "archives",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "job_id", name=op.f("pk_archives")),
    )
    op.create_index(op.f("ix_archives_expires_at"), "archives", ["expires_at"], unique=False)
    op.create_table(
        "consents",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("privacy_tier", sa.Text(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=False, comment="as the client says"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "consent_id", name=op.f("pk_consents")),
    )
    op.create_table(
        "he_public_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("parameter_set", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "context", sa.LargeBinary(), nullable=False, comment="serialised TenSEAL context without a secret key"
        ),
        sa.Column("registered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "parameter_set", name=op.f("pk_he_public_keys")),
    )
    op.create_table(
        "inbox",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(collation="C"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="an age file to the account's recipient"),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "item_id", name=op.f("pk_inbox")),
    )
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
    )
    op.create_table(
        "jobs",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.PrimaryKeyConstraint("user_id", "job_id", name=op.f("pk_jobs")),
    )
    op.create_table(
        "session_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("sealed_kek", sa.LargeBinary(), nullable=False),
        sa.Column(
            "successor",
            sa.LargeBinary(),
            nullable=True,
            comment="the next generation's session key, sealed under this one's: a repeated refresh is answered alike",
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", "generation", name=op.f("pk_session_keys")),
    )
    op.create_index(op.f("ix_session_keys_expires_at"), "session_keys", ["expires_at"], unique=False)
    op.add_column(
        "accounts",
        sa.Column("kek_salt", sa.LargeBinary(), nullable=True, comment="uce: salt of the key-encryption key"),
    )
    op.add_column(
        "records",
        sa.Column(
            "purged_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the revisions before this deletion were dropped",
        ),
    )
    op.create_index(
        "ix_records_date",
        "records",
        ["user_id", sa.text("COALESCE(occurred_at, created_at)"), "record_id"],
        unique=False,
        postgresql_where=sa.text("collection = 'entries'"),
    )
    op.create_index(
        "ix_records_backups",
        "records",
        ["user_id", "occurred_at", "record_id"],
        unique=False,
        postgresql_where=sa.text("collection = 'backups' AND NOT deleted"),
    )
    op.add_column(
        "conflicts",
        sa.Column(
            "remote_revision",
            sa.BigInteger(),
            nullable=True,
            comment="the record's revision when it was resolved: the other version",
        ),
    )
    op.create_index(
        "ix_records_unpurged",
        "records",
        ["updated_at"],
        unique=False,
        postgresql_where=sa.text("deleted AND purged_at IS NULL"),
    )

    # Ciphertext, which no compression shortens.
    for table, column in (("archive_parts", "data"), ("inbox", "sealed"), ("he_public_keys", "context")):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(
        "ix_records_unpurged", table_name="records", postgresql_where=sa.text("deleted AND purged_at IS NULL")
    )
    op.drop_column("conflicts", "remote_revision")
    op.drop_index(
        "ix_records_backups",
        table_name="records",
        postgresql_where=sa.text("collection = 'backups' AND NOT deleted"),
    )
    op.drop_index("ix_records_date", table_name="records", postgresql_where=sa.text("collection = 'entries'"))
    op.drop_column("records", "purged_at")
    op.drop_column("accounts", "kek_salt")
    op.drop_index(op.f("ix_session_keys_expires_at"), table_name="session_keys")
    op.drop_table("session_keys")
    op.drop_table("jobs")
    op.drop_table("installation")
    op.drop_table("inbox")
    op.drop_table("he_public_keys")
    op.drop_table("consents")
    op.drop_index(op.f("ix_archives_expires_at"), table_name="archives")
    op.drop_table("archives")
    op.drop_table("archive_parts")
    op.drop_table("accesses")
