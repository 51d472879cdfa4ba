"""What an archive tells of connections: which there are, and what went through them; no token, and nothing sealed."""

from __future__ import annotations

from lockleaf.server.platform.archive import Section

__all__ = ["SECTIONS"]

SECTIONS = (
    Section(
        "integrations.jsonl",
        """
        SELECT integration_id AS id, provider, state, connected_at, pulled_at, paused_until, last_error
        FROM integrations WHERE user_id = $1 ORDER BY integration_id
        """,
    ),
    Section(
        "external_posts.jsonl",
        """
        SELECT post_id AS id, integration_id, provider, direction, state, entry_id, noted_at, settled_at
        FROM external_posts WHERE user_id = $1 ORDER BY post_id
        """,
    ),
)
