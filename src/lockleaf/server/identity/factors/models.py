"""Tables of second factors. Nothing in them is a secret to who has the database alone."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Blob, Instant, Name, Now

__all__ = ["Factor", "FactorAttempts", "FactorChallenge", "FactorCode"]


class Factor(Base):
    """A second factor. It counts once it is confirmed; what is not is replaced by the next one that is begun."""

    __tablename__ = "factors"
    __table_args__ = (
        CheckConstraint("kind IN ('totp', 'passkey')", name="kind"),
        Index("ix_factors_begun", "created_at", postgresql_where=text("confirmed_at IS NULL")),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    factor_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[Name]
    name: Mapped[str | None] = mapped_column(Text)
    sealed: Mapped[Blob | None] = mapped_column(comment="totp: the shared secret, under a key of the server's")
    last_step: Mapped[int] = mapped_column(
        BigInteger, server_default="0", comment="totp: of the newest code that was accepted"
    )
    credential_id: Mapped[Blob | None] = mapped_column(comment="passkey: as its authenticator made it")
    public_key: Mapped[Blob | None] = mapped_column(comment="passkey: in COSE's form")
    sign_count: Mapped[int] = mapped_column(
        BigInteger, server_default="0", comment="passkey: how often it was used, as its authenticator counts"
    )
    challenge: Mapped[Blob | None] = mapped_column(comment="passkey: of one that is not confirmed yet")
    created_at: Mapped[Now]
    confirmed_at: Mapped[Instant | None]
    last_used_at: Mapped[Instant | None]


class FactorCode(Base):
    """An unspent factor code: the digest of its 80 random bits."""

    __tablename__ = "factor_codes"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[Blob] = mapped_column(primary_key=True)
    created_at: Mapped[Now]


class FactorChallenge(Base):
    """What an account was asked with, good for one answer."""

    __tablename__ = "factor_challenges"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[Blob] = mapped_column(primary_key=True, comment="SHA-256 of the challenge")
    purpose: Mapped[Name]
    expires_at: Mapped[Instant] = mapped_column(index=True)


class FactorAttempts(Base):
    """How many codes of an app were wrong since the last right one, and until when none is looked at."""

    __tablename__ = "factor_attempts"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    wrong: Mapped[int] = mapped_column(Integer)
    blocked_until: Mapped[Instant]
