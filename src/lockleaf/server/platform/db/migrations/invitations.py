"""The table of invitations, as the step that adds it makes it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["LOST", "add", "drop"]

LOST = {"invitations": "FROM invitations"}


def add() -> None:
    """Make the table."""
    op.create_table(
        "invitations",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False, comment="how many accounts may be made with it"),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_invitations")),
    )


def drop() -> None:
    """Take it away."""
    op.drop_table("invitations")
