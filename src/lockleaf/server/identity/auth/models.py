"""The table of sessions. A row lives as long as the device is signed in."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Boolean, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Blob, Instant, Name, Now

__all__ = ["Session", "SessionKey"]


class Session(Base):
    """A signed-in device.

    The refresh token is not stored: it is a signed statement of (user, session, generation), and only the newest
    generation is good. An older one is a sign of theft, and ends the session.
    """

    __tablename__ = "sessions"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[Name | None]
    device_name: Mapped[str | None] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text, comment="space-separated, sorted")
    opened_with: Mapped[str | None] = mapped_column(Text, comment="what proved its owner, space-separated")
    generation: Mapped[int] = mapped_column(Integer, server_default="1")
    retry_hash: Mapped[Blob | None] = mapped_column(comment="SHA-256 of the retry_id that made this generation")
    rotated_at: Mapped[Instant] = mapped_column(comment="when this generation was made, to the second")
    created_at: Mapped[Now]
    last_used_at: Mapped[Now]
    expires_at: Mapped[Instant] = mapped_column(index=True)
    revoked: Mapped[bool] = mapped_column(Boolean, server_default="false")


class SessionKey(Base):
    """A generation of a uce session: the account's key-encryption key, sealed under a key that only its tokens carry.

    The row of a generation that was replaced lives until its access token expires.
    """

    __tablename__ = "session_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True)
    sealed_kek: Mapped[Blob]
    successor: Mapped[Blob | None] = mapped_column(
        comment="the next generation's session key, sealed under this one's: a repeated refresh is answered alike"
    )
    expires_at: Mapped[Instant] = mapped_column(index=True)
