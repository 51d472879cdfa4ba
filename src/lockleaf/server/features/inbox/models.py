"""The table of the inbox."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Name, Now

__all__ = ["InboxItem"]


class InboxItem(Base):
    """A sealed item that waits until a device of its account takes it."""

    __tablename__ = "inbox"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    provider: Mapped[Name]
    sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="an age file to the account's recipient")
    media: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), server_default="{}", comment="the files that came with it, and go if it is refused"
    )
    received_at: Mapped[Now]
