"""Pages of lists: which one is asked for, where it begins, and how its answer leads to the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from lockleaf.server.platform.cursors import CursorCodec, Place
from lockleaf.server.platform.errors import InvalidRequest

__all__ = ["Page", "Paging", "Window"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items of a list in their order.

    Attributes:
        end: where the page ends; None where the list does.
        total: how many items the list has, where a page was asked for by its number.
    """

    items: Sequence[T]
    end: Place | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is asked for: the first one, the one behind a cursor, or one by its number.

    Attributes:
        limit: how many items at most.
        number: from 1; pages by number shift with what is written meanwhile.
    """

    cursors: CursorCodec
    limit: int
    cursor: str | None = None
    number: int | None = None

    def window(self, kind: str, user_id: UUID, *types: type) -> Window:
        """Return the part of a list that is asked for.

        Arguments:
            kind: names the list with all that decides what is in it: a cursor is good for the same one alone.
            types: of what the list is ordered by.

        Raises:
            InvalidCursor: the cursor is not of this list.
        """
        after = None if self.cursor is None else self.cursors.open(kind, user_id, self.cursor, *types)
        return Window(self, kind, user_id, after)


@dataclass(frozen=True, slots=True)
class Window:
    """The part of one account's list that is asked for: behind the place ``after``, or behind the first ``skip``."""

    paging: Paging
    kind: str
    user_id: UUID
    after: Place | None

    @property
    def limit(self) -> int:
        """How many items at most."""
        return self.paging.limit

    @property
    def numbered(self) -> bool:
        """Whether a page was asked for by its number, so that its answer says how many items there are."""
        return self.paging.number is not None

    @property
    def skip(self) -> int:
        """How many items to leave out at the beginning."""
        return ((self.paging.number or 1) - 1) * self.limit

    def page(self, found: Sequence[T], place: Callable[[T], Place], *, total: int | None = None) -> Page[T]:
        """Return the page of what was ``found``: one item more than ``limit`` tells that there are more."""
        items = found[: self.limit]
        return Page(items, place(items[-1]) if len(found) > self.limit else None, total)

    def cursor(self, place: Place | None) -> str | None:
        """Return the cursor of a place; None for the end of the list."""
        return None if place is None else self.paging.cursors.seal(self.kind, self.user_id, place)

    def answer(self, page: Page[Any]) -> dict[str, Any]:
        """Return what an answer says beside its items.

        Raises:
            InvalidRequest: a page by its number is more than one answer holds: what it left out would be on no page.
        """
        fields: dict[str, Any] = {"next_cursor": self.cursor(page.end)}
        if self.numbered:
            if page.end is not None and len(page.items) < self.limit:
                too_much = "this page is more than one answer holds: ask for fewer items on it, or go on by cursors"
                raise InvalidRequest(errors=[{"field": "page_size", "type": "too_long", "message": too_much}])
            fields |= {"page": self.paging.number, "page_size": self.limit, "total": page.total}
        return fields
