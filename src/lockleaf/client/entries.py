"""Entries of the journal: as a user sees them, and as the map that is sealed (PROTOCOL section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from lockleaf.client.errors import EntryTooLarge, LocalError
from lockleaf.crypto.encoding import pack
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.padding import MAX_PLAINTEXT

__all__ = [
    "UNCHANGED",
    "Entry",
    "EntryDraft",
    "InvalidEntry",
    "Progress",
    "ProgressCallback",
    "Unchanged",
    "check_size",
    "clean_tags",
    "clean_text",
    "date_text",
    "draft_content",
    "shared_time",
]

MAX_TAGS = 60
MAX_NAME = 200
MAX_TITLE = 1000
_ROOM_FOR_SEEN = 256
"""Bytes kept free in each map for the writer's head, which joins it when it is sealed."""


class Unchanged:
    """The type of `UNCHANGED`."""


UNCHANGED: Final = Unchanged()
"""A field that an edit leaves as it is; None empties it."""


class InvalidEntry(LocalError):
    """An entry has a field that is none: a date that does not exist, a tag or mood that is empty or too long."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something is: ``done`` of ``total`` (None where nobody knows), in the unit of the ``stage``."""

    stage: str
    done: int
    total: int | None


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the journal.

    ``date`` is ISO 8601 text as it was entered, a day or a time. ``pending``: the server has not confirmed the latest
    edit. ``conflict``: another version of it waits for a decision. ``rejected``: the code of the server's refusal.
    """

    id: str
    date: str
    title: str | None
    body: str
    mood: str | None
    tags: tuple[str, ...]
    revision: int
    created_at: datetime
    updated_at: datetime
    deleted: bool = False
    pending: bool = False
    conflict: bool = False
    rejected: str | None = None
    time_zone: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """An entry to import. ``external_id`` names it within its provider: the same one makes the same entry."""

    body: str
    date: str
    external_id: str
    provider: str
    title: str | None = None
    mood: str | None = None
    tags: tuple[str, ...] = ()
    time_zone: str | None = None


def date_text(value: date | datetime | str) -> str:
    """Return ``value`` as the ISO 8601 text that is kept; text is kept as it is.

    Raises:
        InvalidEntry: it is no day and no time.
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
        raise InvalidEntry("the date is none") from None
    if len(text) < 10 or text[4] != "-" or text[7] != "-":
        raise InvalidEntry("the date is none")
    return text


def shared_time(text: str, time_zone: str | None) -> str:
    """Return an entry's date as the RFC 3339 time in UTC under which a server may sort it.

    A time without an offset is taken in ``time_zone`` (an IANA name), else in UTC; a day begins at midnight UTC.
    """
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        zone = ZoneInfo(time_zone) if time_zone and len(text) > 10 else UTC
        value = value.replace(tzinfo=zone)
    try:
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except OverflowError:
        return value.replace(tzinfo=UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def clean_text(value: str | None, name: str, limit: int) -> str | None:
    """Return a one-line field without space around it, None for an empty one.

    Raises:
        InvalidEntry: it is longer than ``limit`` characters.
    """
    text = (value or "").strip()
    if len(text) > limit:
        raise InvalidEntry(f"the {name} is longer than {limit} characters")
    return text or None


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags without space around them, each once, in their order.

    Raises:
        InvalidEntry: more than 60, or one of more than 200 characters.
    """
    cleaned = tuple(dict.fromkeys(tag for item in tags if (tag := clean_text(item, "tag", MAX_NAME))))
    if len(cleaned) > MAX_TAGS:
        raise InvalidEntry(f"more than {MAX_TAGS} tags")
    return cleaned


def draft_content(
    *,
    body: str,
    date: str,
    title: str | None = None,
    mood: str | None = None,
    tags: Iterable[str] = (),
    time_zone: str | None = None,
    source: str | None = None,
) -> dict[str, Any]:
    """Return the map of a new entry; what is absent has no field.

    Raises:
        InvalidEntry: a field is none.
        EntryTooLarge: the whole is longer than a record may be.
    """
    if time_zone is not None:
        try:
            ZoneInfo(time_zone)
        except (ValueError, OSError, KeyError):
            raise InvalidEntry("the time zone is none") from None
    fields = {
        "type": "entry",
        "title": clean_text(title, "title", MAX_TITLE),
        "body": body,
        "mood": clean_text(mood, "mood", MAX_NAME),
        "tags": list(clean_tags(tags)) or None,
        "source": clean_text(source, "source", 64),
        "occurred_at": date_text(date),
        "time_zone": time_zone,
    }
    content = {name: value for name, value in fields.items() if value is not None}
    check_size(content)
    return content


def check_size(content: Mapping[str, Any]) -> None:
    """Check that a map can be sealed.

    Raises:
        EntryTooLarge: it is longer than a record may be.
        InvalidEntry: it holds text that has no UTF-8 form.
    """
    try:
        size = len(pack(dict(content)))
    except Malformed:
        raise InvalidEntry("the text cannot be written as UTF-8") from None
    # The packed map stands behind its length in 4 bytes.
    if size + 4 + _ROOM_FOR_SEEN > MAX_PLAINTEXT:
        raise EntryTooLarge
