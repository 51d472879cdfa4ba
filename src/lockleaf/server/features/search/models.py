"""Tables of the search index: digests of words, and nothing that says which words they are."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Instant, Name, Sequence

__all__ = ["SearchDocument", "SearchIndex"]


class SearchIndex(Base):
    """Whether an account has a search index, and how far it is. Without a row: its custody's default."""

    __tablename__ = "search_indexes"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    enabled: Mapped[bool] = mapped_column(Boolean)
    language: Mapped[Name] = mapped_column(comment="by which words are brought to their stems")
    complete: Mapped[bool] = mapped_column(Boolean, comment="whether every entry is in it")
    built_at: Mapped[Instant | None]
    job_id: Mapped[UUID | None] = mapped_column(comment="that builds it, or built it last")
    updated_at: Mapped[Instant]


class SearchDocument(Base):
    """The words of an entry as it is now, as a set of digests. A deleted entry has none."""

    __tablename__ = "search_documents"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[Name] = mapped_column(primary_key=True)
    seq: Mapped[Sequence] = mapped_column(comment="of the record: its number within the account")
    at: Mapped[Instant] = mapped_column(comment="of the record: the local time by which it is listed")
    tokens: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


# Digests of two accounts differ, so that one index serves all of them without a look at whose a digest is.
Index(
    "ix_search_documents_tokens",
    SearchDocument.tokens,
    postgresql_using="gin",
    postgresql_with={"fastupdate": "off"},
)
