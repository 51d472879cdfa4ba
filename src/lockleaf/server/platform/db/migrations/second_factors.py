"""The part of the step 0007 that is about second factors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["LOST", "add", "drop"]

LOST = {
    "second factors, so that a secret alone opens their accounts": "FROM factors",
    "factor codes": "FROM factor_codes",
    "questions for a second factor that wait for an answer": "FROM factor_challenges",
    "counts of wrong codes": "FROM factor_attempts",
    "notes of what sessions were opened with": "FROM sessions WHERE opened_with IS NOT NULL",
}
"""What goes when this is taken back, in words, and the rows that have it."""


def add() -> None:
    """Make the tables."""
    op.add_column(
        "sessions",
        sa.Column("opened_with", sa.Text(), nullable=True, comment="what proved its owner, space-separated"),
    )
    op.create_table(
        "factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("factor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=True, comment="totp: the shared secret, under a key of the server's"
        ),
        sa.Column(
            "last_step",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="totp: of the newest code that was accepted",
        ),
        sa.Column("credential_id", sa.LargeBinary(), nullable=True, comment="passkey: as its authenticator made it"),
        sa.Column("public_key", sa.LargeBinary(), nullable=True, comment="passkey: in COSE's form"),
        sa.Column(
            "sign_count",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="passkey: how often it was used, as its authenticator counts",
        ),
        sa.Column("challenge", sa.LargeBinary(), nullable=True, comment="passkey: of one that is not confirmed yet"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('totp', 'passkey')", name=op.f("ck_factors_kind")),
        sa.PrimaryKeyConstraint("user_id", "factor_id", name=op.f("pk_factors")),
    )
    op.create_index("ix_factors_begun", "factors", ["created_at"], postgresql_where=sa.text("confirmed_at IS NULL"))
    op.create_table(
        "factor_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "digest", name=op.f("pk_factor_codes")),
    )
    op.create_table(
        "factor_challenges",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the challenge"),
        sa.Column("purpose", sa.Text(collation="C"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "digest", name=op.f("pk_factor_challenges")),
    )
    op.create_index("ix_factor_challenges_expires_at", "factor_challenges", ["expires_at"])
    op.create_table(
        "factor_attempts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_factor_attempts")),
    )


def drop() -> None:
    """Take the tables away."""
    for table in ("factor_attempts", "factor_challenges", "factor_codes", "factors"):
        op.drop_table(table)
    op.drop_column("sessions", "opened_with")
