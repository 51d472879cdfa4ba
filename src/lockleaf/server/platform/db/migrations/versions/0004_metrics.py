"""encrypted metrics

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LOST_BY_DOWNGRADE = {
    "encrypted metrics": "FROM metrics",
    "sealed keys for metrics": "FROM metric_keys",
    "causes of metrics": "FROM metric_causes",
    "corrections of metrics": "FROM metric_deltas",
    "packs of metrics": "FROM metric_packs",
    "sums of metrics": "FROM metric_sums",
    "notes of keys that multiply": "FROM he_public_keys WHERE multiplies",
}
"""What goes when this step is taken back, in words, and the rows that have it."""


def upgrade() -> None:
    # A migration that waits for a lock makes every request behind it wait too: rather give up soon, and try again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.create_table(
        "metrics",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("metric_id", sa.Text(collation="C"), nullable=False),
        sa.Column("metric_type", sa.Text(collation="C"), nullable=False),
        sa.Column("parameter_set", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "ciphertext",
            sa.LargeBinary(),
            nullable=False,
            comment="in the form of lockleaf.he.stored, as all ciphertexts here",
        ),
        sa.Column("square", sa.LargeBinary(), nullable=True),
        sa.Column(
            "multiplied", sa.Boolean(), server_default="false", nullable=False, comment="whether the server squared it"
        ),
        sa.Column(
            "fingerprint", sa.LargeBinary(), nullable=False, comment="of all that was sent: the same again is a retry"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "metric_id", name=op.f("pk_metrics")),
    )
    op.create_index(
        "ix_metrics_type",
        "metrics",
        ["user_id", "metric_type", "at", "metric_id"],
        unique=False,
        postgresql_include=["parameter_set"],
    )
    op.create_index("ix_metrics_at", "metrics", ["user_id", "at", "metric_id"], unique=False)
    op.create_table(
        "metric_sums",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("metric_type", sa.Text(collation="C"), nullable=False),
        sa.Column("parameter_set", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "kind",
            sa.Text(collation="C"),
            nullable=False,
            comment="values; squares that the client encrypted, or that the server multiplied",
        ),
        sa.Column("period", sa.Text(collation="C"), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column(
            "seal_version", sa.Text(collation="C"), nullable=False, comment="of SEAL that wrote what was added last"
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('values', 'squares', 'products')", name=op.f("ck_metric_sums_kind")),
        sa.CheckConstraint("period IN ('month', 'year')", name=op.f("ck_metric_sums_period")),
        sa.PrimaryKeyConstraint(
            "user_id", "metric_type", "parameter_set", "kind", "period", "start", name=op.f("pk_metric_sums")
        ),
    )
    op.create_table(
        "metric_packs",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("parameter_set", sa.Text(collation="C"), nullable=False),
        sa.Column("layout", sa.Text(collation="C"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("additions", sa.BigInteger(), nullable=False),
        sa.Column("seal_version", sa.Text(collation="C"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "parameter_set", "layout", "month", name=op.f("pk_metric_packs")),
    )
    op.create_table(
        "metric_deltas",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("delta_id", sa.Text(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "delta_id", name=op.f("pk_metric_deltas")),
    )
    op.create_table(
        "metric_causes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("pack", sa.LargeBinary(), nullable=False, comment="digest of parameter set and layout"),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "pack", "month", "record_id", "revision", name=op.f("pk_metric_causes")),
    )
    op.create_table(
        "metric_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("parameter_set", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "parameter_set", name=op.f("pk_metric_keys")),
    )
    op.add_column(
        "he_public_keys",
        sa.Column(
            "multiplies",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="whether it has relinearisation keys",
        ),
    )

    # Ciphertext, which no compression shortens.
    for table, columns in (
        ("metrics", ("ciphertext", "square")),
        ("metric_sums", ("ciphertext",)),
        ("metric_packs", ("ciphertext",)),
        ("metric_keys", ("sealed_key",)),
    ):
        for column in columns:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("he_public_keys", "multiplies")
    for table in ("metric_keys", "metric_causes", "metric_deltas", "metric_packs", "metric_sums"):
        op.drop_table(table)
    op.drop_index("ix_metrics_at", table_name="metrics")
    op.drop_index("ix_metrics_type", table_name="metrics", postgresql_include=["parameter_set"])
    op.drop_table("metrics")
