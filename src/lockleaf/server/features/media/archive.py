"""What an archive tells of media: what was declared of each file. The files themselves are fetched one by one."""

from __future__ import annotations

from lockleaf.server.platform.archive import Section

__all__ = ["SECTIONS"]

SECTIONS = (
    Section(
        "media.jsonl",
        """
        SELECT media_id AS id, media_type, size, sha256, entry_id, file_name, state, created_at, completed_at,
          deleted_at
        FROM media WHERE user_id = $1 ORDER BY media_id
        """,
    ),
)
