"""What can go wrong with a search."""

from __future__ import annotations

from lockleaf.server.platform.errors import Conflict, Invalid
from lockleaf.wire.problems import ErrorCode

__all__ = ["QueryTooLong", "SearchOff"]


class SearchOff(Conflict):
    """The account keeps no search index on this server. Switch it on, or search on a device."""

    code = ErrorCode.SEARCH_OFF


class QueryTooLong(Invalid):
    """The query is too long, has too many words, or is nested too deeply. Search for less at once."""

    code = ErrorCode.QUERY_TOO_LONG
