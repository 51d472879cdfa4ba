"""What the server holds of an account, domain by domain, as an archive tells it: each domain says what is its own.

``main/background.py`` puts the list together. A test holds that no table of users' data is forgotten in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

__all__ = ["Facts", "Section", "plain"]


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row that have a value."""
    return {name: value for name, value in row.items() if value is not None}


def _whole(row: asyncpg.Record, shape: Callable[[Mapping[str, Any]], dict[str, Any]], parsed: tuple[str, ...]) -> Any:
    columns = {
        name: json.loads(value) if name in parsed and isinstance(value, str) else value for name, value in row.items()
    }
    return shape(columns)


@dataclass(frozen=True, slots=True)
class Section:
    """A file of the archive with a line for each row.

    Attributes:
        file: its name.
        query: gives the rows of the account $1, in a stable order.
        shape: makes of a row what stands in its line; times, ids and bytes may be among it.
        at_once: how many rows are in memory at a time.
        parsed: the columns that PostgreSQL keeps as JSON.
    """

    file: str
    query: str
    shape: Callable[[Mapping[str, Any]], dict[str, Any]] = plain
    at_once: int = 500
    parsed: tuple[str, ...] = ()

    def line(self, row: asyncpg.Record) -> dict[str, Any]:
        """Return what a row's line says."""
        line: dict[str, Any] = _whole(row, self.shape, self.parsed)
        return line


@dataclass(frozen=True, slots=True)
class Facts:
    """An object of the archive's manifest, made of one row.

    Attributes:
        name: under which it stands there.
        query: gives the row of the account $1.
        parsed: the columns that PostgreSQL keeps as JSON.
    """

    name: str
    query: str
    parsed: tuple[str, ...] = ()

    def tell(self, row: asyncpg.Record | None) -> dict[str, Any]:
        """Return what the manifest says."""
        told: dict[str, Any] = {} if row is None else _whole(row, plain, self.parsed)
        return told
