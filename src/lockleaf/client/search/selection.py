"""Which entries are wanted, said once for lists of this device and of the server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from lockleaf.client.records.entries import Entry, date_text
from lockleaf.wire.names import same_name

__all__ = ["Selection"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Entries of a range of days (``YYYY-MM-DD``, both inclusive) that have a tag, a mood, a source, an id of some."""

    since: str | None = None
    until: str | None = None
    tag: str | None = None
    mood: str | None = None
    source: str | None = None
    ids: frozenset[str] | None = None

    @classmethod
    def of(
        cls,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        tag: str | None = None,
        mood: str | None = None,
        source: str | None = None,
        ids: Iterable[str] | None = None,
    ) -> Selection:
        """Return the selection of what a caller gave.

        Raises:
            InvalidEntry: a day is invalid.
        """
        first, last = (date_text(day)[:10] if day is not None else None for day in (since, until))
        return cls(first, last, tag, mood, source, None if ids is None else frozenset(ids))

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """What is asked for beside days, as (kind of label, value)."""
        given = (("tag", self.tag), ("mood", self.mood), ("source", self.source))
        return tuple((kind, value) for kind, value in given if value is not None)

    def holds(self, entry: Entry) -> bool:
        """Tell whether ``entry`` is wanted: by its day, and by names as their labels are compared."""
        return (
            (self.ids is None or entry.id in self.ids)
            and (self.since is None or entry.day.isoformat() >= self.since)
            and (self.until is None or entry.day.isoformat() <= self.until)
            and (self.tag is None or any(same_name(self.tag, item) for item in entry.tags))
            and (self.mood is None or same_name(self.mood, entry.mood or ""))
            and (self.source is None or same_name(self.source, entry.source or ""))
        )
