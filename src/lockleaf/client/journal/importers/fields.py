"""Fields of JSON objects that are entries, as other programs and people write them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.records.entries import MAX_NAME
from lockleaf.wire.content import MAX_TITLE

__all__ = [
    "heading",
    "known_zone",
    "listed_tags",
    "objects_in",
    "parsed",
    "place_name",
    "short",
    "text_of",
    "whole",
    "with_tag",
]

STARRED = "starred"
"""The tag of an entry that its program marked with a star, a heart or as a favourite."""

_Kind = TypeVar("_Kind")
_SURROGATES = re.compile("[\ud800-\udfff]")
_OFFSET = re.compile(r"(?:GMT|UTC)([+-])(\d{1,2}):?(\d{2})?", re.ASCII)


def parsed(text: str) -> dict[str, Any]:
    """Return the object that JSON text holds.

    Raises:
        InvalidEntry: it is no JSON, or no object, or one that says two things of a name.
    """
    try:
        fields = json.loads(text, object_pairs_hook=_once, strict=False)
    except (ValueError, RecursionError):
        raise InvalidEntry("not JSON") from None
    if not isinstance(fields, dict):
        raise InvalidEntry("not a JSON object")
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, if no name stands in it twice with two values: one of them would be lost."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise InvalidEntry("a name stands in it twice, with two values")
        found[name] = value
    return found


def text_of(fields: Mapping[str, Any], name: str, notes: list[str]) -> str | None:
    """Return a field that is text, None where there is none.

    Raises:
        InvalidEntry: it is something else.
    """
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidEntry(f"{name} is not text")
    return whole(value, notes)


def whole(text: str, notes: list[str]) -> str:
    """Return text with U+FFFD for each half of a character, such as an emoji that was cut in two."""
    changed = _SURROGATES.sub("\ufffd", text)
    if changed != text:
        notes.append("half a character, as of an emoji cut in two, became U+FFFD")
    return changed


def objects_in(value: Any, kind: type[_Kind], name: str) -> list[_Kind]:
    """Return the objects of a list, all of one kind.

    Raises:
        InvalidEntry: it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(each, kind) for each in value):
        raise InvalidEntry(f"{name} is not a list of {'texts' if kind is str else 'objects'}")
    return value


def listed_tags(value: Any, notes: list[str]) -> tuple[str, ...]:
    """Return tags: of a list of texts, or of one text with commas between them; # before a tag is no part of it.

    Raises:
        InvalidEntry: it is something else.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.split(",") if "," in value else [value]
    return tuple(
        tag for each in objects_in(value, str, "tags") if (tag := whole(each, notes).strip().removeprefix("#"))
    )


def with_tag(tags: tuple[str, ...], tag: str, *, wanted: Any = True) -> tuple[str, ...]:
    """Return tags and one more, where that is wanted."""
    return (*tags, tag) if wanted is True and tag not in tags else tags


def heading(title: str | None, body: str) -> tuple[str | None, str]:
    """Return title and body; a title that is too long to be one becomes the beginning of the body."""
    line = (title or "").strip()
    if len(line) <= MAX_TITLE and "\n" not in line:
        return line or None, body
    return None, f"{line}\n\n{body}" if body else line


def short(text: str | None, name: str, notes: list[str]) -> str | None:
    """Return a mood, a weather or a location, cut where it is longer than an entry can hold, which is noted."""
    line = " ".join((text or "").split())
    if len(line) > MAX_NAME:
        notes.append(f"the {name} was longer than {MAX_NAME} characters and was cut")
        line = line[: MAX_NAME - 1].rstrip() + "…"
    return line or None


def place_name(parts: list[Any], latitude: Any = None, longitude: Any = None) -> str:
    """Return a location: its names, each once, and where it lies on the map."""
    names: list[str] = []
    for part in parts:
        if isinstance(part, str) and (name := part.strip()) and name not in names:
            names.append(name)
    text = ", ".join(names)
    if not _is_place(latitude, longitude):
        return text
    lies = f"{round(latitude, 5)}, {round(longitude, 5)}"
    return f"{text} ({lies})" if text else lies


def _is_place(latitude: Any, longitude: Any) -> bool:
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in (latitude, longitude)):
        return False
    return abs(latitude) <= 90 and abs(longitude) <= 180 and bool(latitude or longitude)


def known_zone(name: Any, notes: list[str]) -> str | None:
    """Return a time zone by its IANA name; one that is not known here is left out, which is noted."""
    if not isinstance(name, str) or not (text := name.strip()):
        return None
    if (found := _OFFSET.fullmatch(text)) is not None and found[3] in (None, "00"):
        # Etc/GMT-2 is what stands east of Greenwich: the sign of POSIX.
        text = f"Etc/GMT{'-' if found[1] == '+' else '+'}{int(found[2])}" if int(found[2]) else "Etc/GMT"
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        notes.append("its time zone is not known here, and was left out")
        return None
    return text
