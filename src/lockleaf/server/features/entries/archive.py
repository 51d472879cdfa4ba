"""What an archive tells of entries beside their records: when they were published."""

from __future__ import annotations

from lockleaf.server.platform.archive import Section

__all__ = ["SECTIONS"]

SECTIONS = (
    Section(
        "entry_publications.jsonl",
        """
        SELECT entry_id, publication_id AS id, revision, published_at
        FROM entry_publications WHERE user_id = $1 ORDER BY entry_id, publication_id
        """,
    ),
)
