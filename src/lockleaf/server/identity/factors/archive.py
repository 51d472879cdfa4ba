"""What an archive tells of second factors: which there are. Of what answers for them it tells nothing."""

from __future__ import annotations

from lockleaf.server.platform.archive import Section

__all__ = ["SECTIONS"]

SECTIONS = (
    Section(
        "factors.jsonl",
        """
        SELECT factor_id AS id, kind, name, created_at, last_used_at
        FROM factors WHERE user_id = $1 AND confirmed_at IS NOT NULL ORDER BY created_at, factor_id
        """,
    ),
)
