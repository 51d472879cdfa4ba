"""How much is done at once, how often it is tried, and how long what it leaves is kept."""

from __future__ import annotations

from pydantic import Field

from lockleaf.server.platform.settings.base import Group
from lockleaf.wire.content import MAX_PAYLOAD_BYTES

__all__ = ["AnalyticsSettings", "ConnectionSettings", "JobSettings", "LimitSettings", "SearchSettings"]


class LimitSettings(Group):
    """What one request or one account may ask for."""

    body_bytes: int = Field(default=1024 * 1024, ge=1024)
    sync_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    public_key_body_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="A public key for encrypted metrics, where it is registered."
    )
    record_bytes: int = Field(
        default=MAX_PAYLOAD_BYTES,
        ge=128 * 1024,
        le=MAX_PAYLOAD_BYTES,
        description="The payload of one record, by whichever endpoint. What is there may be replaced by what is no"
        " larger.",
    )
    inbox_items: int = Field(default=1000, ge=1, description="Items that may wait in an account's inbox.")
    streams_per_account: int = Field(default=20, ge=1)
    storage_bytes: int | None = Field(default=None, description="Quota of an account; none by default.")


class ConnectionSettings(Group):
    """How long and how many clients may keep the server waiting; of each web worker."""

    most: int = Field(
        default=1000, ge=8, description="Connections; beyond it a new one displaces the one that waits longest."
    )
    head_seconds: float = Field(default=15, gt=0, description="Until the head of a request is there.")
    body_seconds: float = Field(default=30, gt=0, description="How often to look whether a body goes on.")
    body_bytes_per_second: int = Field(default=256, ge=1, description="How fast a body has to come at least.")
    idle_seconds: int = Field(default=75, ge=1, description="How long a connection may rest between two requests.")
    write_seconds: float = Field(default=60, gt=0, description="How long a client may leave an answer unread.")


class AnalyticsSettings(Group):
    """The processes that add up encrypted metrics, and how much they may take."""

    processes: int = Field(default=1, ge=1, le=64, description="Of each web worker, started when they are needed.")
    queue: int = Field(default=32, ge=1, description="Requests that may wait; beyond it one is asked to come back.")
    memory_mib: int = Field(default=1024, ge=512, description="Address space of one, of which it uses a tenth.")
    task_seconds: float = Field(default=20, gt=0, le=300, description="After which one that does not answer is killed.")
    tasks_per_process: int = Field(default=1000, ge=1, description="After which one is replaced.")
    prewarm: bool | None = Field(
        default=None, description="Whether to start one with the server; by default if there are metrics."
    )


class JobSettings(Group):
    """Background work: who does it, how often it is tried, and how long what it leaves is kept."""

    in_process: bool | None = Field(
        default=None, description="Whether `serve` does it too; by default if the database is its own."
    )
    concurrency: int = Field(default=4, ge=2, le=64, description="Jobs at a time, a worker.")
    poll_seconds: float = Field(default=30, ge=0.1, description="How often to look without having been told.")
    heartbeat_seconds: float = Field(
        default=30, ge=1, description="After this long without a sign of life another worker takes a job up."
    )
    grace_seconds: float = Field(default=10, ge=0, description="How long a worker that stops lets its jobs finish.")
    max_attempts: int = Field(default=5, ge=1, le=100)
    backoff_seconds: float = Field(default=5, ge=0, description="Before the second attempt; doubled before each other.")
    backoff_max_seconds: float = Field(default=600, ge=0)
    purge_after_days: float = Field(default=30, ge=0, description="Before what was deleted is dropped for good.")
    archive_days: float = Field(default=7, gt=0, description="How long an archive can be fetched.")
    keep_days: float = Field(default=30, gt=0, description="How long a job that ended is listed.")


class SearchSettings(Group):
    """Searching entries, and building the index of those that the server may open (uce)."""

    opened_per_request: int = Field(
        default=200, ge=1, le=10_000, description="Entries that one request looks into; a page may end there."
    )
    page_seconds: float = Field(default=5, ge=0, le=60, description="After which one looks into no more of them.")
    slice_seconds: float = Field(default=2, ge=0, le=20, description="How long one request builds an index.")
