"""The table of what was published."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Instant, Sequence

__all__ = ["EntryPublication"]


class EntryPublication(Base):
    """That an entry, as it stood in a revision, was published with this server's help."""

    __tablename__ = "entry_publications"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    publication_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[Sequence]
    published_at: Mapped[Instant]
