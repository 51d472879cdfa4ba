"""What an archive tells of background work, the making of the archive itself included."""

from __future__ import annotations

from lockleaf.server.platform.archive import Section

__all__ = ["SECTIONS"]

SECTIONS = (
    Section(
        "jobs.jsonl",
        """
        SELECT job_id AS id, kind, state, arguments, attempts, error_code, created_at, started_at, finished_at
        FROM jobs WHERE user_id = $1 ORDER BY job_id
        """,
        parsed=("arguments",),
    ),
)
