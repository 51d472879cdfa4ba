"""the first schema

Revision: 0001
Follows:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LOST_BY_DOWNGRADE = {
    "accounts": "FROM accounts",
    "records, with every entry": "FROM records",
    "earlier revisions of records": "FROM revisions",
    "changes of histories": "FROM changes",
    "heads of histories": "FROM heads",
    "epochs of histories": "FROM epochs",
    "conflicts": "FROM conflicts",
    "checkpoints": "FROM checkpoints",
    "sessions": "FROM sessions",
    "signing keys": "FROM signing_keys",
    "recovery codes": "FROM recovery_codes",
    "login names": "FROM email_directory",
}
"""What goes when this step is taken back, in words, and the rows that have it."""


def upgrade() -> None:
    # A migration that waits for a lock makes every request behind it wait too: rather give up soon, and try again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.create_table(
        "accounts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(collation="C"), nullable=False, comment="normalised, as in the directory"),
        sa.Column("email_shown", sa.Text(), nullable=False, comment="as the user writes it"),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("locale", sa.Text(), server_default="en", nullable=False),
        sa.Column("custody", sa.Text(), nullable=False),
        sa.Column("privacy_tier", sa.Text(), nullable=False),
        sa.Column(
            "consented_at", sa.DateTime(timezone=True), nullable=False, comment="when the user chose the present tier"
        ),
        sa.Column("preferences", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("verifier_hash", sa.Text(), nullable=False, comment="Argon2id of the authentication secret"),
        sa.Column("kdf", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("keyring", sa.LargeBinary(), nullable=True),
        sa.Column("keyring_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True, comment="age X25519 recipient of the newest master key"),
        sa.Column(
            "signing_key", sa.LargeBinary(), nullable=True, comment="Ed25519 public key of the newest master key"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("custody IN ('e2e', 'uce')", name=op.f("ck_accounts_custody")),
        sa.CheckConstraint(
            "privacy_tier IN ('local_only', 'analytics_sync', 'full_sync')", name=op.f("ck_accounts_privacy_tier")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_accounts")),
    )
    op.create_index("ix_accounts_email", "accounts", ["email"], unique=False)
    op.create_table(
        "changes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("collection", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.LargeBinary(), nullable=False),
        sa.Column("meta", sa.LargeBinary(), nullable=False),
        sa.Column("payload_hash", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("device_id", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "seq", name=op.f("pk_changes")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Text(collation="C"), nullable=False),
        sa.Column("epoch", sa.Text(collation="C"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("time_text", sa.Text(), nullable=False, comment="to the letter: it is signed"),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "device_id", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "conflicts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("conflict_id", sa.Uuid(), nullable=False),
        sa.Column("collection", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("base_revision", sa.BigInteger(), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chosen_version", sa.Text(), nullable=True),
        sa.Column("parent", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("payload_hash", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("labels", postgresql.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("occurred_text", sa.Text(), nullable=True, comment="to the letter: it is part of the seal"),
        sa.Column("device_id", sa.Text(collation="C"), nullable=False),
        sa.Column("client_updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "conflict_id", name=op.f("pk_conflicts")),
    )
    op.create_index(
        "ix_conflicts_open",
        "conflicts",
        ["user_id", "conflict_id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "uq_conflicts_payload", "conflicts", ["user_id", "collection", "record_id", "payload_hash"], unique=True
    )
    op.create_table(
        "email_directory",
        sa.Column("email", sa.Text(collation="C"), nullable=False, comment="normalised: NFKC, trimmed, case-folded"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_email_directory")),
    )
    op.create_index(op.f("ix_email_directory_user_id"), "email_directory", ["user_id"], unique=False)
    op.create_table(
        "epochs",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Text(collation="C"), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("from_head", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "epoch", name=op.f("pk_epochs")),
    )
    op.create_table(
        "heads",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Text(collation="C"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_heads")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "records",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("collection", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("payload_hash", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("labels", postgresql.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "collection", "record_id", name=op.f("pk_records")),
    )
    op.create_index("ix_records_seq", "records", ["user_id", "seq"], unique=True, postgresql_where=sa.text("seq > 0"))
    op.create_index(
        "ix_records_large",
        "records",
        ["user_id", "seq"],
        unique=False,
        postgresql_where=sa.text("octet_length(packed) > 8192"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("verifier_hash", sa.LargeBinary(), nullable=False),
        sa.Column("keyring", sa.LargeBinary(), nullable=False),
        sa.Column("keyring_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "verifier_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "revisions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("collection", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "collection", "record_id", "revision", name=op.f("pk_revisions")),
    )
    op.create_table(
        "sessions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Text(collation="C"), nullable=True),
        sa.Column("device_name", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False, comment="space-separated, sorted"),
        sa.Column("generation", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "retry_hash", sa.LargeBinary(), nullable=True, comment="SHA-256 of the retry_id that made this generation"
        ),
        sa.Column(
            "rotated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when this generation was made, to the second",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", name=op.f("pk_sessions")),
    )
    op.create_table(
        "signing_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("keyring_version", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("rotation_signature", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "keyring_version", name=op.f("pk_signing_keys")),
    )

    # Payloads of a few KiB stay in the row: read back twice as fast as from TOAST. They are ciphertext, which no
    # compression shortens, so none is tried.
    for table, column in (("records", "packed"), ("revisions", "packed"), ("conflicts", "payload")):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
        op.execute(f"ALTER TABLE {table} SET (toast_tuple_target = 8160)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("signing_keys")
    op.drop_table("sessions")
    op.drop_table("revisions")
    op.drop_table("recovery_codes")
    op.drop_index("ix_records_large", table_name="records")
    op.drop_index("ix_records_seq", table_name="records")
    op.drop_table("records")
    op.drop_table("heads")
    op.drop_table("epochs")
    op.drop_index(op.f("ix_email_directory_user_id"), table_name="email_directory")
    op.drop_table("email_directory")
    op.drop_index("uq_conflicts_payload", table_name="conflicts")
    op.drop_index("ix_conflicts_open", table_name="conflicts", postgresql_where=sa.text("resolved_at IS NULL"))
    op.drop_table("conflicts")
    op.drop_table("checkpoints")
    op.drop_table("changes")
    op.drop_index("ix_accounts_email", table_name="accounts")
    op.drop_table("accounts")
