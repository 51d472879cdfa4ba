"""What a database says of itself."""

from __future__ import annotations

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Name

__all__ = ["Installation"]


class Installation(Base):
    """Facts of this installation, for instance whether it is for development only."""

    __tablename__ = "installation"

    name: Mapped[Name] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
