"""What an archive tells of the devices that are signed in. Of what proves them it tells nothing."""

from __future__ import annotations

from lockleaf.server.platform.archive import Section

__all__ = ["SECTIONS"]

SECTIONS = (
    Section(
        "sessions.jsonl",
        """
        SELECT session_id AS id, device_id, device_name, scope, opened_with, created_at, last_used_at, expires_at,
               revoked
        FROM sessions WHERE user_id = $1 ORDER BY session_id
        """,
    ),
)
