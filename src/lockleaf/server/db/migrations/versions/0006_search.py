"""search

Revision: 0006
Follows: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that waits for a lock makes every request behind it wait too: rather give up soon, and try again.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '15min'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
