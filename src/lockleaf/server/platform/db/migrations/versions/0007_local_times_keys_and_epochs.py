"""local times of entries, the key behind each payload, what devices signed, and what older clients bring

Revision: 0007
Follows: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lockleaf.server.platform.db.migrations import invitations, kept_usage, of_operators, second_factors

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LOST_BY_DOWNGRADE = {
    "salts of vault clients, without which they cannot log in": "FROM accounts WHERE salt IS NOT NULL",
    "ids of vault clients' blobs": "FROM accounts WHERE vault_id IS NOT NULL",
    "recovery codes of accounts without a keyring": "FROM recovery_codes WHERE keyring IS NULL",
    "names of files": "FROM media WHERE file_name IS NOT NULL",
    "uploads under way that named no digest": "FROM media WHERE sha256 IS NULL",
    "local times of entries, which are in UTC then": "FROM records WHERE local_at IS DISTINCT FROM occurred_at",
    "notes of the key that sealed a record": "FROM records WHERE key_id IS NOT NULL",
    "notes of the key that sealed an earlier revision": "FROM revisions WHERE key_id IS NOT NULL",
    "notes of the oldest key that an account accepts": "FROM heads WHERE key_id > 0",
    "statements of devices about restores": "FROM epoch_statements",
    "notes of epochs that ended, or that an operator declared": "FROM epochs WHERE ended OR declared",
    "notes of keys for metrics in SEAL's own form": "FROM he_public_keys WHERE raw",
    "connections to social networks, with their tokens": "FROM integrations",
    "applications that were registered with instances": "FROM integration_applications",
    "notes of what came from networks, or went there, which comes again": "FROM external_posts",
    "publications in the history of entries": "FROM entry_publications",
    **second_factors.LOST,
    "lists of files that came with items of the inbox": "FROM inbox WHERE media <> '{}'",
    **invitations.LOST,
    **of_operators.LOST,
    **kept_usage.LOST,
}
"""What goes when this step is taken back, in words, and the rows that have it."""

_SHOWN = "as the user writes it"
_KNOWN_AS = "normalised: NFKC, trimmed, case-folded"
_SEALED_UNDER = "of the master key that sealed the payload"


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
    invitations.add()
    of_operators.add()
    kept_usage.add()
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
    op.add_column(
        "heads",
        sa.Column(
            "key_id",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="the lowest that may seal what is written; 0 while the account has no keyring",
        ),
    )
    op.execute("UPDATE heads h SET key_id = 1 FROM accounts a WHERE a.user_id = h.user_id AND a.keyring IS NOT NULL")
    op.add_column("records", sa.Column("key_id", sa.BigInteger(), nullable=True, comment=_SEALED_UNDER))
    op.add_column("revisions", sa.Column("key_id", sa.BigInteger(), nullable=True, comment=_SEALED_UNDER))
    op.add_column(
        "epochs",
        sa.Column("ended", sa.Boolean(), server_default="false", nullable=False, comment="whether its leaves are gone"),
    )
    op.add_column(
        "epochs",
        sa.Column(
            "declared",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="whether an operator began it, having put the database back",
        ),
    )
    op.add_column(
        "he_public_keys",
        sa.Column(
            "raw",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="whether its client sends and reads SEAL's objects alone",
        ),
    )
    op.create_table(
        "epoch_statements",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.LargeBinary(), nullable=False, comment="equal for those that say the same"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("old_epoch", sa.Text(collation="C"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("new_epoch", sa.Text(collation="C"), nullable=False),
        sa.Column("device_id", sa.Text(collation="C"), nullable=False),
        sa.Column("time_text", sa.Text(), nullable=False, comment="to the letter: it is signed"),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "statement_id", name=op.f("pk_epoch_statements")),
    )
    op.alter_column("recovery_codes", "keyring", existing_type=sa.LargeBinary(), nullable=True)
    op.add_column(
        "media",
        sa.Column(
            "file_name", sa.LargeBinary(), nullable=True, comment="sealed with uce, as its client made it with e2e"
        ),
    )
    op.alter_column(
        "media",
        "sha256",
        existing_type=sa.LargeBinary(),
        nullable=True,
        comment="absent until it is stored, if its client named none",
    )
    op.add_column(
        "accounts",
        sa.Column("salt", sa.Text(), nullable=True, comment="a vault client's own, as it writes it"),
    )
    op.add_column(
        "accounts",
        sa.Column(
            "vault_id", sa.Text(collation="C"), nullable=True, comment="of a vault client's blob, as it chose it"
        ),
    )
    op.alter_column(
        "accounts",
        "email_shown",
        existing_type=sa.Text(),
        existing_nullable=False,
        existing_comment=_SHOWN,
        comment=f"{_SHOWN}; a name where it has no @",
    )
    op.alter_column(
        "email_directory",
        "email",
        existing_type=sa.Text(collation="C"),
        existing_nullable=False,
        existing_comment=_KNOWN_AS,
        comment=f"{_KNOWN_AS}; a name has no @",
    )
    _connect_networks()
    second_factors.add()


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    of_operators.drop()
    kept_usage.drop()
    invitations.drop()
    second_factors.drop()
    op.drop_column("inbox", "media")
    for table in ("entry_publications", "integration_applications", "external_posts", "integrations"):
        op.drop_table(table)
    op.alter_column(
        "email_directory",
        "email",
        existing_type=sa.Text(collation="C"),
        existing_nullable=False,
        existing_comment=f"{_KNOWN_AS}; a name has no @",
        comment=_KNOWN_AS,
    )
    op.alter_column(
        "accounts",
        "email_shown",
        existing_type=sa.Text(),
        existing_nullable=False,
        existing_comment=f"{_SHOWN}; a name where it has no @",
        comment=_SHOWN,
    )
    # Codes without a keyring are of no use to a server before this one.
    op.execute("DELETE FROM recovery_codes WHERE keyring IS NULL")
    op.alter_column("recovery_codes", "keyring", existing_type=sa.LargeBinary(), nullable=False)
    # Uploads under way that named no digest end: a server before this one could not complete them.
    op.execute(
        """
        WITH gone AS (DELETE FROM media WHERE sha256 IS NULL RETURNING object_key)
        INSERT INTO media_removals (object_key) SELECT object_key FROM gone ON CONFLICT (object_key) DO NOTHING
        """
    )
    op.alter_column(
        "media",
        "sha256",
        existing_type=sa.LargeBinary(),
        nullable=False,
        existing_comment="absent until it is stored, if its client named none",
        comment=None,
    )
    op.drop_column("media", "file_name")
    op.drop_column("accounts", "vault_id")
    op.drop_column("accounts", "salt")
    op.drop_table("epoch_statements")
    op.drop_column("he_public_keys", "raw")
    op.drop_column("epochs", "declared")
    op.drop_column("epochs", "ended")
    op.drop_column("revisions", "key_id")
    op.drop_column("records", "key_id")
    op.drop_column("heads", "key_id")
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


def _connect_networks() -> None:
    op.add_column(
        "inbox",
        sa.Column(
            "media",
            sa.ARRAY(sa.Uuid()),
            server_default="{}",
            nullable=False,
            comment="the files that came with it, and go if it is refused",
        ),
    )
    op.create_table(
        "entry_publications",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("publication_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "entry_id", "publication_id", name=op.f("pk_entry_publications")),
    )
    op.create_table(
        "integrations",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "account_key", sa.LargeBinary(), nullable=False, comment="a keyed digest of the account at the network"
        ),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="token, instance, names: under a key of the server's"
        ),
        sa.Column("position", sa.LargeBinary(), nullable=True, comment="how far it was read, sealed alike"),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(collation="C"), nullable=True),
        sa.CheckConstraint("state IN ('connected', 'reconnect_required')", name=op.f("ck_integrations_state")),
        sa.PrimaryKeyConstraint("user_id", "integration_id", name=op.f("pk_integrations")),
    )
    op.create_index("uq_integrations_account_key", "integrations", ["user_id", "account_key"], unique=True)
    op.create_index(
        "ix_integrations_pulled", "integrations", ["pulled_at"], postgresql_where=sa.text("state = 'connected'")
    )
    op.create_table(
        "external_posts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False, comment="ours; the network's key of a post that goes out"),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(collation="C"), nullable=False),
        sa.Column("direction", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("post_key", sa.LargeBinary(), nullable=True, comment="a keyed digest of its id at the network"),
        sa.Column("push_key", sa.LargeBinary(), nullable=True, comment="of the account, the target and the entry"),
        sa.Column("text_key", sa.LargeBinary(), nullable=True, comment="of its text, until it is found"),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="its id, address and target, under a key of the server's",
        ),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False, comment="when it came, or was to go out"),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_external_posts_direction")),
        sa.CheckConstraint(
            "state IN ('linked', 'skipped', 'intended', 'unknown', 'refused')", name=op.f("ck_external_posts_state")
        ),
        sa.PrimaryKeyConstraint("user_id", "post_id", name=op.f("pk_external_posts")),
    )
    op.create_index(
        "uq_external_posts_post_key",
        "external_posts",
        ["user_id", "post_key"],
        unique=True,
        postgresql_where=sa.text("post_key IS NOT NULL"),
    )
    op.create_index(
        "uq_external_posts_push_key",
        "external_posts",
        ["user_id", "push_key"],
        unique=True,
        postgresql_where=sa.text("push_key IS NOT NULL AND state <> 'refused'"),
    )
    op.create_table(
        "integration_applications",
        sa.Column("instance", sa.Text(collation="C"), nullable=False),
        sa.Column("redirect_uri", sa.Text(collation="C"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="its id and secret, under a key of the server's"),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("instance", "redirect_uri", name=op.f("pk_integration_applications")),
    )
