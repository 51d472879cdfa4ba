"""Bodies of ``/jobs``: background work of an account, and how far it is."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from lockleaf.wire.base import Body, Listed
from lockleaf.wire.fields import Instant

__all__ = ["Job", "JobState", "Jobs", "Progress"]

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Progress(Body):
    """How much of a job is done. ``total`` is 0 while it is not known."""

    done: int = Field(ge=0)
    total: int = Field(ge=0)


class Job(Body):
    """A job. ``error_code`` says why one failed."""

    id: UUID
    kind: str
    state: JobState
    progress: Progress
    error_code: str | None = None
    created_at: Instant
    started_at: Instant | None = None
    finished_at: Instant | None = None


class Jobs(Listed[Job]):
    """A page of jobs, newest first."""
