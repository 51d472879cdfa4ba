"""What is said of a server: what it has, and what it can see of what it has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["Fact", "FactGroup", "FactUnit", "Sight", "Visibility"]

FactUnit = Literal["text", "count", "bytes", "time"]
Sight = Literal["always", "in_use", "never", "here"]
"""When a server sees something: at any time; only while it answers a request; never; or it stays on this device."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that the server has.

    Attributes:
        what: what it is, in words.
        value: a text, a number, a size in bytes or a time, as ``unit`` says; None where the server has none.
    """

    what: str
    value: str | int | datetime | None
    unit: FactUnit = "text"


@dataclass(frozen=True, slots=True)
class FactGroup:
    """Facts that belong together, under a heading."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Visibility:
    """Whether the server can see something.

    Attributes:
        what: what it is, in words.
        seen: when the server sees it.
        how: why, and what it sees in its place; sentences.
    """

    what: str
    seen: Sight
    how: str
