"""What the server has of the account and can see of it, beside what the page shows."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from lockleaf.app.models.base import Answer

__all__ = ["SeenEntry", "SeenFact", "SeenFacts", "SeenLabel", "SeenText", "ServerSees", "Sighting"]


class SeenFact(Answer):
    """Something that the server has; None where it has none. ``unit``: what the value is; a time is RFC 3339."""

    what: str
    value: str | int | None
    unit: Literal["text", "count", "bytes", "time"]


class SeenFacts(Answer):
    """Facts that belong together."""

    title: str
    facts: tuple[SeenFact, ...]


class SeenLabel(Answer):
    """A label of an entry in hexadecimal digits, and what this device finds it to stand for."""

    digest: str
    kind: str | None
    value: str | None


class SeenText(Answer):
    """The beginning of a text."""

    title: str | None
    excerpt: str


class SeenEntry(Answer):
    """An entry as the server stores it, beside what this device shows.

    Attributes:
        day, here: what is shown here.
        mood, tags: the same.
        size: of the sealed bytes; ``beginning`` are the first, in hexadecimal digits.
        verified: the sealed bytes are those that this device verified.
        opened: what the server can read within a request; None where it can read nothing.
    """

    id: str
    day: str
    here: SeenText
    mood: str | None
    tags: tuple[str, ...]
    pending: bool
    revision: int
    seq: int
    size: int
    beginning: str
    created_at: datetime
    updated_at: datetime
    device: str | None
    labels: tuple[SeenLabel, ...]
    source: str | None
    occurred_at: str | None
    verified: bool
    opened: SeenText | None


class Sighting(Answer):
    """Whether the server can see something: always, only in use, never; or it is not there."""

    what: str
    seen: Literal["always", "in_use", "never", "here"]
    how: str


class ServerSees(Answer):
    """What the server has and can see.

    Attributes:
        state: ``shown``, or why there is nothing to show.
    """

    state: Literal["shown", "no_account", "logged_out", "deleted"]
    server: str = ""
    custody: Literal["e2e", "uce"] | None = None
    tier: Literal["local_only", "analytics_sync", "full_sync"] | None = None
    entries: tuple[SeenEntry, ...] = ()
    groups: tuple[SeenFacts, ...] = ()
    visibility: tuple[Sighting, ...] = ()
