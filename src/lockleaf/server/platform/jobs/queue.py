"""PgQueuer's queue: its names in the database, and how a job is put into it.

The queue knows which kind of job is due and whose it is, by ids, and nothing else. What a caller sees of a job is a row
of our own (``jobs``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel

__all__ = ["CHANNEL", "NAMES", "TABLES", "due_in", "put", "queries", "read", "tells_of_new"]

CHANNEL = Channel("ch_pgqueuer")

# Said in full: left to itself the library would look for each of them in the environment, under names as common as
# FUNCTION and TRIGGER.
NAMES = DBSettings(
    prefix="",
    db_schema=None,
    channel=CHANNEL,
    function="fn_pgqueuer_changed",
    trigger="tg_pgqueuer_changed",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    statistics_table="pgqueuer_statistics",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)

TABLES = (NAMES.queue_table, NAMES.queue_table_log, NAMES.statistics_table, NAMES.schedules_table)
"""The queue's own tables. No user's data is in them, and Alembic does not look after them."""


def queries(connection: asyncpg.Connection) -> Queries:
    """Return the library's statements, to be run on ``connection`` under our names."""
    return Queries(
        AsyncpgDriver(connection),
        qbe=QueryBuilderEnvironment(NAMES),
        qbq=QueryQueueBuilder(NAMES),
        qbs=QuerySchedulerBuilder(NAMES),
    )


async def put(
    connection: asyncpg.Connection, jobs: Sequence[tuple[str, UUID, UUID]], *, delay: timedelta = timedelta(0)
) -> None:
    """Queue jobs, each a (kind, user_id, job_id), unless they are queued already.

    A trigger of the queue's notifies the workers, within the caller's transaction: commits of transactions that notify
    wait for one another. Jobs are rare; nothing that devices do all the time may queue one.
    """
    await queries(connection).enqueue(
        [kind for kind, _, _ in jobs],
        [user_id.bytes + job_id.bytes for _, user_id, job_id in jobs],
        [0] * len(jobs),
        [delay] * len(jobs),
        [str(job_id) for _, _, job_id in jobs],
        on_conflict="skip",
    )


def read(payload: bytes | None) -> tuple[UUID, UUID]:
    """Return the (user_id, job_id) of a queued job."""
    if payload is None or len(payload) != 32:
        raise ValueError("not a job of ours")
    return UUID(bytes=payload[:16]), UUID(bytes=payload[16:])


def tells_of_new(payload: str) -> bool:
    """Tell whether a notification of the queue's says that jobs were put into it, and not that their state changed."""
    try:
        told = json.loads(payload)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("operation") == "insert"


# A job that a worker took is due where that worker gives no sign of life any more.
_DUE = """
SELECT extract(epoch FROM least(
  (SELECT min(execute_after) FROM pgqueuer WHERE status = 'queued' AND entrypoint = ANY ($1::text[])),
  (SELECT min(heartbeat) + $3::interval FROM pgqueuer WHERE status = 'picked' AND entrypoint = ANY ($1::text[])),
  (SELECT min(next_run) FROM pgqueuer_schedules WHERE entrypoint = ANY ($2::text[]))
) - now())::float8 AS seconds
"""


async def due_in(
    queries: Queries, kinds: Sequence[str], schedules: Sequence[str], heartbeat: timedelta
) -> float | None:
    """Return in how many seconds a job or a schedule is due, below 0 if one has been; None where there is none.

    Args:
        kinds, schedules: of which jobs, and which schedules.
        heartbeat: after how long without a sign of life another worker takes up a job.
    """
    rows = await queries.driver.fetch(_DUE, list(kinds), list(schedules), heartbeat)
    seconds = rows[0]["seconds"]
    return seconds if isinstance(seconds, float) else None
