"""The history of access to uce content."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Instant, Name

__all__ = ["Access"]


class Access(Base):
    """How often a session opened an account's keys within one hour, and for what."""

    __tablename__ = "accesses"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    hour: Mapped[Instant] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[Name] = mapped_column(
        primary_key=True, comment="which endpoint asked: entries.read, tags.write, ..."
    )
    openings: Mapped[int] = mapped_column(Integer)
    records: Mapped[int] = mapped_column(Integer, comment="how many records were opened or sealed")
    last_at: Mapped[Instant]
