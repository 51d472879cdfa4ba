"""What an archive tells of the times at which the server opened content."""

from __future__ import annotations

from lockleaf.server.platform.archive import Section

__all__ = ["SECTIONS"]

SECTIONS = (
    Section(
        "accesses.jsonl",
        """
        SELECT hour, session_id, purpose, openings, records, last_at
        FROM accesses WHERE user_id = $1 ORDER BY hour, session_id, purpose
        """,
    ),
)
