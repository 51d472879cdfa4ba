"""What a server process is put together from, found by type: who keeps it need not know what the parts are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

__all__ = ["Parts"]

T = TypeVar("T")


class Parts(dict[type, Any]):
    """The parts of one server process, each under its type. Routes and jobs take from it what functions ask for.

    A map, since each request looks up several of them.
    """

    if TYPE_CHECKING:

        def __getitem__(self, kind: type[T]) -> T:
            """Return the part of a type."""

    def add(self, kind: type[T], part: T) -> T:
        """Keep a part under its type, and return it."""
        self[kind] = part
        return part

    def make(self, kind: type[T]) -> T:
        """Make a part of those that its fields name, keep it under its type, and return it."""
        make: Callable[..., T] = kind
        return self.add(kind, make(*[self[each] for each in _taken(make)]))

    async def call(self, function: Callable[..., Awaitable[T]]) -> T:
        """Call a function with the parts that its annotations name."""
        return await function(*[self[kind] for kind in _taken(function)])


@cache
def _taken(function: Callable[..., Any]) -> tuple[type, ...]:
    hints = get_type_hints(function)
    return tuple(hints[name] for name in signature(function).parameters)
