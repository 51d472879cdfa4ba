"""What an archive tells of the search index: whether there is one. Its digests follow from the entries."""

from __future__ import annotations

from lockleaf.server.platform.archive import Facts

__all__ = ["FACTS"]

FACTS = (Facts("search", "SELECT enabled, language, complete, built_at FROM search_indexes WHERE user_id = $1"),)
