"""What a query asks of a list: ``cursor`` and ``limit``, and in most lists a page by its number."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Query, Request

from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.errors import contradiction
from lockleaf.server.platform.http.dependencies import parts_of
from lockleaf.server.platform.paging import Paging

__all__ = ["ByCursor", "Limit", "Paged", "by_cursor", "paged"]

Cursor = Annotated[str | None, Query(max_length=512)]
Limit = Annotated[int, Query(ge=1, le=500)]
PageNumber = Annotated[
    int | None,
    Query(ge=1, le=10**6, description="In place of a cursor: it shifts with what is written meanwhile."),
]
PageSize = Annotated[int | None, Query(ge=1, le=500, description="With `page`; as `limit` otherwise.")]


def by_cursor(default: int = 50) -> Callable[..., Awaitable[Paging]]:
    """Return a dependency that gives which page of a list is asked for, of ``default`` items if nothing is said."""

    async def paging(request: Request, cursor: Cursor = None, limit: Limit = default) -> Paging:
        return Paging(parts_of(request)[CursorCodec], limit, cursor)

    return paging


def paged(default: int = 50) -> Callable[..., Awaitable[Paging]]:
    """Return a dependency like `by_cursor`, for lists that give pages by their numbers as well."""

    async def paging(
        request: Request,
        cursor: Cursor = None,
        limit: Limit = default,
        page: PageNumber = None,
        page_size: PageSize = None,
    ) -> Paging:
        if page_size is not None and page_size != limit and "limit" in request.query_params:
            raise contradiction("page_size", "this differs from what is asked for by its other name: send one of them")
        if page is not None and cursor is not None:
            raise contradiction("page", "a page has a number or a cursor: send one of them")
        return Paging(parts_of(request)[CursorCodec], page_size or limit, cursor, page)

    return paging


ByCursor = Annotated[Paging, Depends(by_cursor())]
Paged = Annotated[Paging, Depends(paged())]
