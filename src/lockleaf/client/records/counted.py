"""Marks: what of an entry stands in the account's sums.

A mark is a field of the entry's own map, ``counted: {census, day, values}``, so that it travels sealed with the entry,
and whoever edits it next knows exactly what the sums hold of it: an edit takes that out and puts its own in. The device
that writes a change marks it, and contributes the difference once the change is accepted. Clients that know nothing of
metrics leave the mark as it is, and their edits out of the sums, until somebody else's edit brings both up to date.

In the local store an entry's mark always tells what stands at the revision on which this device builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from lockleaf.client.records.readings import Reading, reading_of
from lockleaf.client.store.records import Document

__all__ = ["MARK", "Mark", "marked", "remarked", "standing", "standing_in", "unmarked", "valid"]

MARK = "counted"

Mark = dict[str, Any]
"""``census``: under which key; ``day`` and ``values``: what stands, absent where nothing does."""


def marked(content: Mapping[str, Any], created_at: str, census: str) -> Mark:
    """Return the mark of an entry that is counted as ``content`` is measured."""
    reading = reading_of(content, created_at)
    if reading is None:
        return {"census": census}
    return {"census": census, "day": reading.day.isoformat(), "values": dict(reading.values)}


def valid(found: Any) -> Mark | None:
    """Return a mark as it was found in a map, None for anything else."""
    if not isinstance(found, dict) or not isinstance(found.get("census"), str):
        return None
    return found


def standing(mark: Mark | None, census: str) -> Reading | None:
    """Return what stands in the sums of ``census`` according to a mark."""
    if mark is None or mark["census"] != census or "day" not in mark:
        return None
    try:
        return Reading(date.fromisoformat(mark["day"]), {str(k): float(v) for k, v in mark["values"].items()})
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def standing_in(doc: Document | None) -> Mark | None:
    """Return the mark that an entry of the local store has."""
    return None if doc is None else valid(doc.content.get(MARK))


def remarked(doc: Document, mark: Mark | None) -> Document:
    """Return a document with another mark, or without one."""
    if doc.content.get(MARK) == mark:
        return doc
    content = unmarked(doc.content)
    return replace(doc, content=content if mark is None else content | {MARK: mark})


def unmarked(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a map without its mark."""
    return {name: value for name, value in content.items() if name != MARK}
