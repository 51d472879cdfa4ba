"""rotation

Revision: 0008
Follows: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SEALED_UNDER = "of the master key that sealed the payload"


def upgrade() -> None:
    # A migration that waits for a lock makes every request behind it wait too: rather give up soon, and try again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '15min'")
    op.add_column(
        "heads",
        sa.Column(
            "key_id",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="of the account's newest master key since a rotation: older ones seal nothing here",
        ),
    )
    op.add_column("records", sa.Column("key_id", sa.BigInteger(), nullable=True, comment=_SEALED_UNDER))
    op.add_column("revisions", sa.Column("key_id", sa.BigInteger(), nullable=True, comment=_SEALED_UNDER))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("revisions", "key_id")
    op.drop_column("records", "key_id")
    op.drop_column("heads", "key_id")
