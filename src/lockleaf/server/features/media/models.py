"""The tables of media."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Blob, Instant, Name, Now

__all__ = ["Media", "MediaRemoval"]


class Media(Base):
    """A file, from its declaration on: what it must be, and where in the object store it lies."""

    __tablename__ = "media"
    __table_args__ = (CheckConstraint("state IN ('uploading', 'stored')", name="state"),)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    media_id: Mapped[UUID] = mapped_column(primary_key=True)
    object_key: Mapped[Name] = mapped_column(comment="random, with nothing of the account in it")
    media_type: Mapped[Name]
    size: Mapped[int] = mapped_column(BigInteger, comment="of the ciphertext, as the digests are")
    sha256: Mapped[Blob | None] = mapped_column(comment="absent until it is stored, if its client named none")
    parts: Mapped[Blob | None] = mapped_column(comment="size (4 bytes) and SHA-256 of each, if it comes in parts")
    upload_id: Mapped[Name | None] = mapped_column(comment="the store's word for the upload in parts")
    entry_id: Mapped[UUID | None]
    file_name: Mapped[Blob | None] = mapped_column(comment="sealed with uce, as its client made it with e2e")
    state: Mapped[Name]
    created_at: Mapped[Instant]
    touched_at: Mapped[Instant] = mapped_column(comment="when its upload was last heard of")
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


Index("ix_media_created", Media.user_id, Media.created_at, Media.media_id)
# Not of one account: objects are looked up by their keys to find those that nobody knows.
Index("ix_media_object_key", Media.object_key)
Index("ix_media_unfinished", Media.touched_at, postgresql_where=text("state = 'uploading'"))
Index("ix_media_deleted", Media.deleted_at, postgresql_where=text("deleted_at IS NOT NULL"))


class MediaRemoval(Base):
    """An object that the store shall delete. Whose it was, nothing tells any more: the account may be gone."""

    __tablename__ = "media_removals"

    object_key: Mapped[Name] = mapped_column(primary_key=True)
    upload_id: Mapped[Name | None]
    staged_at: Mapped[Now]


Index("ix_media_removals_staged_at", MediaRemoval.staged_at)
