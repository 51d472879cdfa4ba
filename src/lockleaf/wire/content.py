"""What an entry's sealed map holds (PROTOCOL section 3): the limits of its fields, and the one form of each.

Whoever makes such a map goes by these rules, a client for itself and the server for a thin client, so that each reads
what the other wrote, and the same entry has the same labels and the same place in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from lockleaf.text import is_utf8
from lockleaf.wire.names import distinct_names

__all__ = [
    "MAX_ATTACHMENTS",
    "MAX_CONTENT_BYTES",
    "MAX_MEDIA_BYTES",
    "MAX_NAME",
    "MAX_PAYLOAD_BYTES",
    "MAX_SOURCE",
    "MAX_TAGS",
    "MAX_TITLE",
    "InvalidContent",
    "clean_line",
    "clean_tags",
    "clean_text",
    "date_text",
    "entry_fields",
    "known_time_zone",
    "labelled",
    "shared_source",
    "tag_names",
]

MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
"""The longest payload of a record, in bytes. A server may be set to take less."""

MAX_TAGS = 60
MAX_NAME = 200
"""Characters of a tag, a mood, a weather or a location."""
MAX_TITLE = 1000
MAX_SOURCE = 64
MAX_ATTACHMENTS = 100
MAX_MEDIA_BYTES = 5 * 1024**3
"""The longest attached file, sealed: 5 GiB."""

_ROOM_FOR_WRITER = 512
"""Bytes kept free in each map for what joins it when it is sealed: the writer's head, its device, the time."""
_LENGTH = 4

MAX_CONTENT_BYTES = MAX_PAYLOAD_BYTES - 2**16 - _LENGTH - _ROOM_FOR_WRITER
"""The longest map in MessagePack: what a sealed plaintext holds at most, less what else stands in it."""


_NO_DATE = "invalid date: use 2026-11-21, or a time with its zone"


class InvalidContent(ValueError):
    """A field is invalid. The text says which, and never what it held."""


def date_text(value: date | datetime | str) -> str:
    """Return ``value`` as the ISO 8601 text that is kept; text is kept as it is.

    Raises:
        InvalidContent: it is no day and no time.
    """
    if not isinstance(value, str):
        return value.isoformat()
    text = value.strip()
    try:
        # Both take basic and week forms too, which nobody else reads back.
        if len(text) == 10:
            date.fromisoformat(text)
        else:
            datetime.fromisoformat(text)
    except ValueError:
        raise InvalidContent(_NO_DATE) from None
    # Hour 24 is a time to some versions of Python alone.
    if len(text) < 10 or text[4] != "-" or text[7] != "-" or text[11:13] == "24":
        raise InvalidContent(_NO_DATE)
    return text


def known_time_zone(name: str) -> str:
    """Return ``name``, which is one of the IANA database.

    Raises:
        InvalidContent: it is not.
    """
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise InvalidContent("the time zone is not an IANA name") from None
    return name


def shared_source(content: Mapping[str, Any]) -> str | None:
    """Return the source of a map as a server takes it, None where it could not stand in the open."""
    source = content.get("source")
    return source if isinstance(source, str) and 0 < len(source) <= MAX_SOURCE and "\0" not in source else None


def clean_text(value: str | None, name: str, limit: int) -> str | None:
    """Return a one-line field without space around it, None for an empty one.

    Raises:
        InvalidContent: it is longer than ``limit`` characters, or holds bytes that were not UTF-8 where it was read.
    """
    text = (value or "").strip()
    if len(text) > limit:
        raise InvalidContent(f"the {name} is longer than {limit} characters")
    if not is_utf8(text):
        raise InvalidContent(f"the {name} has bytes that are not UTF-8")
    return text or None


def clean_line(name: str) -> Callable[[str], str | None]:
    """Return what makes a mood, a weather or a location of a text, as `clean_text` does; ``name`` is the field's."""
    return lambda value: clean_text(value, name, MAX_NAME)


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags without space around them, each once however it is spelled, in their order and first spelling.

    Raises:
        InvalidContent: more than 60, or one of more than 200 characters.
    """
    cleaned = distinct_names(tag for item in tags if (tag := clean_text(item, "tag", MAX_NAME)))
    if len(cleaned) > MAX_TAGS:
        raise InvalidContent(f"more than {MAX_TAGS} tags")
    return cleaned


def entry_fields(
    *,
    body: str,
    title: str | None = None,
    mood: str | None = None,
    weather: str | None = None,
    location: str | None = None,
    tags: Iterable[str] = (),
    source: str | None = None,
    date: date | datetime | str | None = None,
    time_zone: str | None = None,
) -> dict[str, Any]:
    """Return the map of an entry; what is absent has no field.

    Raises:
        InvalidContent: a field is invalid.
    """
    fields = {
        "type": "entry",
        "title": clean_text(title, "title", MAX_TITLE),
        "body": body,
        "mood": clean_text(mood, "mood", MAX_NAME),
        "weather": clean_text(weather, "weather", MAX_NAME),
        "location": clean_text(location, "location", MAX_NAME),
        "tags": list(clean_tags(tags)) or None,
        "source": clean_text(source, "source", MAX_SOURCE),
        "occurred_at": None if date is None else date_text(date),
        "time_zone": None if time_zone is None else known_time_zone(time_zone),
    }
    return {name: value for name, value in fields.items() if value is not None}


def tag_names(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tags of a map, what other programs put there and is no tag left out."""
    tags = content.get("tags")
    return tuple(tag for tag in tags if isinstance(tag, str) and tag) if isinstance(tags, list) else ()


def labelled(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what an entry is found by, as (kind, value): its mood, its source and each of its tags.

    Two spellings of one value have one label, so that labels can be fewer than these.
    """
    values = [("mood", content.get("mood")), ("source", content.get("source"))]
    values += [("tag", tag) for tag in tag_names(content)]
    return ((kind, value) for kind, value in values if isinstance(value, str) and value)
