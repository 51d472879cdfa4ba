"""What an operator decides about an account, as the step that adds it makes it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["LOST", "add", "drop"]

LOST = {
    "that accounts are disabled: they are open again": "FROM accounts WHERE disabled_at IS NOT NULL",
    "quotas of single accounts": "FROM accounts WHERE quota_bytes IS NOT NULL",
}


def add() -> None:
    """Add the columns."""
    op.add_column(
        "accounts",
        sa.Column(
            "disabled_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when its operator lets nobody in",
        ),
    )
    op.add_column(
        "accounts",
        sa.Column(
            "quota_bytes",
            sa.BigInteger(),
            nullable=True,
            comment="how much it may hold, where its operator gave it a quota of its own; -1 for any number",
        ),
    )


def drop() -> None:
    """Take them away."""
    op.drop_column("accounts", "quota_bytes")
    op.drop_column("accounts", "disabled_at")
