"""epochs: their ends, and what devices signed about them

Revision: 0009
Follows: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that waits for a lock makes every request behind it wait too: rather give up soon, and try again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '15min'")
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


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("epoch_statements")
    op.drop_column("epochs", "declared")
    op.drop_column("epochs", "ended")
