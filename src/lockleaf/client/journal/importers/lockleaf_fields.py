"""The fields of an entry as an export of this program has them, in JSON and in front matter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.importers.fields import text_of
from lockleaf.client.records.foreign import FOREIGN, foreign_fields

__all__ = ["foreign_of", "maps_of", "metrics_of", "tags_of", "time_of", "words_of"]


def words_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry says, its time among it."""
    date = text_of(fields, "date", [])
    if date is None:
        raise InvalidEntry("it has no date")
    return {
        "date": date,
        **{name: text_of(fields, name, []) for name in ("title", "mood", "weather", "location", "time_zone", "source")},
        "tags": tags_of(fields.get("tags")),
        "metrics": metrics_of(fields.get("metrics")),
    }


def foreign_of(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what another application gave an entry; Markdown has it as one line of JSON."""
    value = fields.get(FOREIGN)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = [value]
    if value is None:
        return None
    if (found := foreign_fields({FOREIGN: value})) is None:
        raise InvalidEntry(f"{FOREIGN} is no object of texts, numbers and lists of them")
    return found


def tags_of(value: Any) -> tuple[str, ...]:
    """Return tags."""
    if value in (None, ""):
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidEntry("tags is not a list of texts")
    return tuple(value)


def metrics_of(value: Any) -> dict[str, float]:
    """Return numbers by name."""
    if value in (None, ""):
        return {}
    try:
        return {str(name): float(number) for name, number in value.items()}
    except (AttributeError, TypeError, ValueError):
        raise InvalidEntry("metrics is not a list of numbers by name") from None


def maps_of(fields: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    value = fields.get(name)
    if value in (None, ""):
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidEntry(f"{name} is not a list of objects")
    return value


def time_of(value: Any) -> str | None:
    """Return a time with its zone, or None."""
    try:
        return value if datetime.fromisoformat(value).tzinfo is not None else None
    except (ValueError, TypeError):
        return None
