"""What checks are given, and what they say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import asyncpg

from lockleaf.server.platform.settings import Settings

__all__ = ["Finding", "Level", "Surroundings", "good", "problem", "skipped", "warning"]


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is, in a sentence without its first capital, and what to do about it."""

    level: Level
    says: str
    do: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A server as its operator sees it.

    Attributes:
        connection: to its database; None where that does not answer.
        why_not: what was said then.
        now: aware, in UTC.
    """

    settings: Settings
    connection: asyncpg.Connection | None
    now: datetime
    why_not: str = field(default="")

    async def has(self, table: str) -> bool:
        """Tell whether the database answers and has this table: one that was never served has none."""
        if self.connection is None:
            return False
        there: bool = await self.connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table)
        return there


def good(says: str) -> Finding:
    """Return that all is well."""
    return Finding(Level.OK, says)


def warning(says: str, do: str) -> Finding:
    """Return that something wants to be looked at."""
    return Finding(Level.WARNING, says, do)


def problem(says: str, do: str) -> Finding:
    """Return that something does not work, or is not safe."""
    return Finding(Level.PROBLEM, says, do)


def skipped() -> Finding:
    """Return that the database would have to be asked."""
    return Finding(Level.SKIPPED, "not checked: the database does not answer")
