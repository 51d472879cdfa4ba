"""The table of jobs that accounts see; the queue's own tables belong to its library."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Instant, Name, Now

__all__ = ["Job"]


class Job(Base):
    """A job of an account, as its user sees it. It holds no content and no key."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[Name]
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    done: Mapped[int] = mapped_column(Integer, server_default="0")
    total: Mapped[int] = mapped_column(Integer, server_default="0")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    error_code: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Now]
    started_at: Mapped[Instant | None]
    finished_at: Mapped[Instant | None]


# What upkeep looks for among the jobs of all accounts.
Index("ix_jobs_unfinished", Job.created_at, postgresql_where=text("state IN ('queued', 'running')"))
Index("ix_jobs_finished", Job.finished_at, postgresql_where=text("finished_at IS NOT NULL"))
