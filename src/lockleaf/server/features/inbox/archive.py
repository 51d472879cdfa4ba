"""What an archive tells of the inbox: its items as they wait, each an age file."""

from __future__ import annotations

from lockleaf.server.platform.archive import Section

__all__ = ["SECTIONS"]

SECTIONS = (
    Section(
        "inbox.jsonl",
        """
        SELECT item_id AS id, provider, sealed, received_at FROM inbox WHERE user_id = $1 ORDER BY item_id
        """,
        at_once=16,
    ),
)
