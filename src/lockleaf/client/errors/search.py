"""Searches, and the server's index of words."""

from __future__ import annotations

from lockleaf.client.errors.base import ApiError
from lockleaf.client.errors.local import LocalError
from lockleaf.exit_codes import ExitCode

__all__ = ["InvalidSearch", "QueryTooLong", "SearchLanguageDiffers", "SearchOff"]


class InvalidSearch(LocalError):
    """The query is too long. It has at most 4,096 characters and 64 words, and brackets within brackets 16 times."""

    exit_code = ExitCode.INPUT


class SearchLanguageDiffers(LocalError):
    """The server's index of words is in another language than you chose for this account. No word was sent to it.

    Where you changed the language, have the index made anew: `lockleaf search-index rebuild`. If that does not help,
    choose the language again with `lockleaf account set --locale`. Searching on this device works all the same.
    """

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf search-index rebuild"


class SearchOff(ApiError):
    """The server keeps no index of this account's words.

    Search on this device, which needs none, or have it keep one: `lockleaf search-index on`.
    """


class QueryTooLong(ApiError):
    """The server finds the query too long, or nested too deeply. Search for less at once."""

    exit_code = ExitCode.INPUT
