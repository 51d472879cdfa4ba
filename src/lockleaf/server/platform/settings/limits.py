"""How much is done at once, how often it is tried, and how long what it leaves is kept."""

from __future__ import annotations

from pydantic import Field

from lockleaf.server.platform.settings.base import Group
from lockleaf.wire.content import MAX_PAYLOAD_BYTES

__all__ = ["AnalyticsSettings", "ConnectionSettings", "JobSettings", "LimitSettings", "SearchSettings"]


class LimitSettings(Group):
    """What one request or one account may ask for."""

    body_bytes: int = Field(default=1024 * 1024, ge=1024, description="Largest body, in bytes.")
    sync_body_bytes: int = Field(
        default=8 * 1024 * 1024,
        ge=1024,
        description="Largest body below `/sync`, `/entries`, `/vault`, `/encryption` and `/search`, in bytes.",
    )
    public_key_body_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="Largest body with a public key for encrypted metrics, in bytes."
    )
    record_bytes: int = Field(
        default=MAX_PAYLOAD_BYTES,
        ge=128 * 1024,
        le=MAX_PAYLOAD_BYTES,
        description="Largest record by whichever endpoint (entries, tags, vault, backups, push), in bytes, with "
        "everything that belongs to it: 131072 to 4194304. What is there already may be replaced by "
        "what is no larger.",
    )
    inbox_items: int = Field(default=1000, ge=1, description="Items that may wait in the inbox of one account.")
    streams_per_account: int = Field(default=20, ge=1, description="Live streams of one account, a worker.")
    disk_reserve_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=0,
        description="What is kept free of the disks of the server's own database and of its folder of files, in bytes; "
        "what would leave less is 507 `storage_full`, so that reading and deleting go on. 0 for nothing.",
    )
    storage_bytes: int | None = Field(
        default=None,
        description="Bytes that an account may hold, media, metrics, search index and inbox among them; writing "
        "more is 507 `quota_exceeded`; without a limit by default.",
    )


class ConnectionSettings(Group):
    """How long and how many clients may keep the server waiting; of each web worker."""

    most: int = Field(
        default=1000,
        ge=8,
        description="Connections, a worker; beyond it a new one takes the place of the one that has waited "
        "longest without having sent a whole request.",
    )
    head_seconds: float = Field(default=15, gt=0, description="How long the head of a request may take, in seconds.")
    body_seconds: float = Field(default=30, gt=0, description="How often to look whether a body goes on, in seconds.")
    body_bytes_per_second: int = Field(
        default=256, ge=1, description="How fast a body has to come at least, meanwhile."
    )
    idle_seconds: int = Field(
        default=75, ge=1, description="How long a connection may rest between two requests, in seconds."
    )
    write_seconds: float = Field(
        default=60, gt=0, description="How long a client may leave an answer unread, in seconds."
    )
    unread_bytes: int = Field(
        default=128 * 1024 * 1024,
        ge=1024 * 1024,
        description="Bytes of answers that clients have not read yet, all together, a worker; beyond it those that "
        "have waited longest are given up.",
    )


class AnalyticsSettings(Group):
    """The processes that add up encrypted metrics, and how much they may take."""

    processes: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes that add up encrypted metrics, of each worker; started when they are needed.",
    )
    queue: int = Field(
        default=32, ge=1, description="Requests that may wait for them, a worker; beyond it one is asked to come back."
    )
    memory_mib: int = Field(
        default=1024, ge=512, description="Address space of such a process, in MiB, of which it uses some 50 to 110."
    )
    task_seconds: float = Field(
        default=20, gt=0, le=300, description="After this long without an answer it is killed and replaced, in seconds."
    )
    tasks_per_process: int = Field(default=1000, ge=1, description="After so many answers it is replaced.")
    idle_seconds: float = Field(
        default=600,
        ge=0,
        description="How long one waits for more where there is nothing to do, in seconds; then it ends, and is started"
        " when there is. 0: it stays.",
    )
    prewarm: bool | None = Field(
        default=None,
        description="Whether a process is started with the server, so that the first request does not wait for it.",
    )


class JobSettings(Group):
    """Background work: who does it, how often it is tried, and how long what it leaves is kept."""

    in_process: bool | None = Field(
        default=None,
        description="Whether `lockleaf serve` does background work itself; otherwise `lockleaf worker` must.",
    )
    concurrency: int = Field(default=4, ge=2, le=64, description="Jobs at a time, a worker.")
    poll_seconds: float = Field(
        default=30, ge=0.1, description="How often to look for jobs without having been told of one, in seconds."
    )
    idle_seconds: float = Field(
        default=20,
        ge=0,
        description="How long the process of background work that `lockleaf serve` starts waits for more where there"
        " is nothing to do, in seconds; then it ends, and is started when there is. 0: it stays.",
    )
    heartbeat_seconds: float = Field(
        default=30,
        ge=1,
        description="After this long without a sign of life another worker takes a job up, in seconds.",
    )
    grace_seconds: float = Field(
        default=10,
        ge=0,
        description="How long a worker that is stopped lets its jobs finish before it hands them back, in seconds.",
    )
    max_attempts: int = Field(default=5, ge=1, le=100, description="How often a job is tried.")
    backoff_seconds: float = Field(
        default=5,
        ge=0,
        description="Wait before the second attempt, in seconds; twice as long before each further one, and up to "
        "half of it less, by chance.",
    )
    backoff_max_seconds: float = Field(default=600, ge=0, description="Longest such wait, in seconds.")
    purge_after_days: float = Field(
        default=30,
        ge=0,
        description="When a deleted file, the earlier revisions of a deleted record, and the content of a decided "
        "conflict are dropped for good, in days.",
    )
    archive_days: float = Field(
        default=7, gt=0, description="How long the archive of an account can be fetched, in days."
    )
    keep_days: float = Field(default=30, gt=0, description="How long a job that ended is listed, in days.")


class SearchSettings(Group):
    """Searching entries, and building the index of those that the server may open (uce)."""

    opened_per_request: int = Field(
        default=200,
        ge=1,
        le=10_000,
        description="Entries of a `uce` account that one search looks into; its page may end there, and the next "
        "goes on.",
    )
    page_seconds: float = Field(
        default=5,
        ge=0,
        le=60,
        description="After which it looks into no more of them, likewise; texts can be made to take long.",
    )
    slice_seconds: float = Field(
        default=2,
        ge=0,
        le=20,
        description="How long one request builds the search index of a `uce` account, in seconds.",
    )
