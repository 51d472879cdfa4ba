"""Tables of archives that wait to be fetched."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Blob, Instant, Now

__all__ = ["Archive", "ArchivePart"]


class Archive(Base):
    """A finished archive, by the job that made it."""

    __tablename__ = "archives"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[Blob]
    created_at: Mapped[Now]
    expires_at: Mapped[Instant] = mapped_column(index=True)


class ArchivePart(Base):
    """A part of an archive's bytes. In the database, since every worker of every machine can reach that."""

    __tablename__ = "archive_parts"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(Integer, primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
