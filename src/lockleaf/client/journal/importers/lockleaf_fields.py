"""The fields of an entry as an export of this program has them, in JSON and in front matter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.importers.fields import objects_in, text_of
from lockleaf.client.records.foreign import FOREIGN, foreign_fields

__all__ = ["foreign_of", "maps_of", "time_of", "words_of"]

_Kind = TypeVar("_Kind")


def words_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry says, its time among it."""
    date = text_of(fields, "date", [])
    if date is None:
        raise InvalidEntry("it has no date")
    return {
        "date": date,
        **{name: text_of(fields, name, []) for name in ("title", "mood", "weather", "location", "time_zone", "source")},
        "tags": tuple(_listed(fields, "tags", str)),
        "metrics": _metrics(fields.get("metrics")),
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


def _metrics(value: Any) -> dict[str, float]:
    if value in (None, ""):
        return {}
    try:
        return {str(name): float(number) for name, number in value.items()}
    except (AttributeError, TypeError, ValueError):
        raise InvalidEntry("metrics is not a list of numbers by name") from None


def maps_of(fields: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return _listed(fields, name, dict)


def _listed(fields: Mapping[str, Any], name: str, kind: type[_Kind]) -> list[_Kind]:
    value = fields.get(name)
    return [] if value in (None, "") else objects_in(value, kind, name)


def time_of(value: Any) -> str | None:
    """Return a time with its zone, or None."""
    try:
        return value if datetime.fromisoformat(value).tzinfo is not None else None
    except (ValueError, TypeError):
        return None
