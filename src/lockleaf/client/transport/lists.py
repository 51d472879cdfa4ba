"""Lists of the server, from their first page to their last."""

from __future__ import annotations

from typing import TypeVar

from lockleaf.client.errors import InvalidAnswer
from lockleaf.client.transport.http import Parameters, Transport
from lockleaf.wire.base import Listed

__all__ = ["fetch_list"]

T = TypeVar("T")

_PAGE = 500
_MOST = 100_000


async def fetch_list(
    transport: Transport, path: str, answer: type[Listed[T]], params: Parameters | None = None
) -> list[T]:
    """Return all items of a list.

    Args:
        answer: the model of a page.

    Raises:
        InvalidAnswer: the list repeats itself, or has more items than a hundred thousand: no account holds that many
            of what is listed whole, and it would go on until the memory is full.
        TransportError, ApiError: see `Transport.request`.
    """
    items: list[T] = []
    cursor: str | None = None
    while True:
        asked: Parameters = {**(params or {}), "limit": _PAGE} | ({} if cursor is None else {"cursor": cursor})
        page = await transport.request("GET", path, answer=answer, params=asked)
        items += page.items
        if page.next_cursor is None:
            return items
        if not page.items or page.next_cursor == cursor or len(items) > _MOST:
            raise InvalidAnswer
        cursor = page.next_cursor
