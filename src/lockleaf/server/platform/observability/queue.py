"""The queue in numbers, from the database: the same from whichever process is asked, and of all workers."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

__all__ = ["QueueNumbers", "observe"]

_WAITING = """
SELECT entrypoint AS kind, status::text AS status, count(*) AS jobs,
  greatest(extract(epoch FROM now() - min(execute_after)), 0) AS seconds
FROM pgqueuer GROUP BY entrypoint, status
"""

# What the library has not added up yet, and what it has. Its words for an end are translated; those for a beginning,
# and for what was put back, are no ends.
_ENDED = """
SELECT entrypoint AS kind, CASE status WHEN 'successful' THEN 'succeeded' ELSE 'failed' END AS outcome,
  sum(jobs)::bigint AS jobs
FROM (
  SELECT entrypoint, status, count AS jobs FROM pgqueuer_statistics WHERE status IN ('successful', 'exception')
  UNION ALL
  SELECT entrypoint, status, count(*) FROM pgqueuer_log
  WHERE NOT aggregated AND status IN ('successful', 'exception') GROUP BY entrypoint, status
) AS counted GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class QueueNumbers:
    """The queue at one moment.

    Attributes:
        present: jobs by kind and by whether they wait (``queued``) or run (``running``).
        overdue_seconds: how long the job that has been due the longest has waited, by kind.
        ended: jobs by kind and outcome (``succeeded``, ``failed``) since the beginning.
    """

    present: dict[tuple[str, str], int]
    overdue_seconds: dict[str, float]
    ended: dict[tuple[str, str], int]


async def observe(connection: asyncpg.Connection) -> QueueNumbers:
    """Count."""
    waiting = await connection.fetch(_WAITING)
    ended = await connection.fetch(_ENDED)
    return QueueNumbers(
        present={
            (row["kind"], "running" if row["status"] == "picked" else "queued"): row["jobs"]
            for row in waiting
            if row["status"] in ("queued", "picked")
        },
        overdue_seconds={row["kind"]: float(row["seconds"]) for row in waiting if row["status"] == "queued"},
        ended={(row["kind"], row["outcome"]): row["jobs"] for row in ended},
    )
