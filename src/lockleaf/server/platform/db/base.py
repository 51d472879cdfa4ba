"""The base of all tables, and the column types they share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from sqlalchemy import BigInteger, DateTime, LargeBinary, MetaData, Text, func
from sqlalchemy.orm import DeclarativeBase, mapped_column

__all__ = ["Base", "Blob", "Instant", "Name", "Now", "Sequence"]


class Base(DeclarativeBase):
    """The base of all tables; constraints are named by convention, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Now = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
Blob = Annotated[bytes, mapped_column(LargeBinary)]
Sequence = Annotated[int, mapped_column(BigInteger)]
# Names compare by their bytes, on every machine alike: an order that follows a locale would change with the library
# that defines it, and with it the order of a feed.
Name = Annotated[str, mapped_column(Text(collation="C"))]
