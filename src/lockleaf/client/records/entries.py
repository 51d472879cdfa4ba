"""Entries of the journal: as a user sees them, and as the map that is sealed (PROTOCOL section 3)."""

from __future__ import annotations

import datetime as dates
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO, Any, Final

from lockleaf.client.errors import EntryTooLarge, InvalidEntry
from lockleaf.client.records.attachments import Attachment
from lockleaf.client.records.bases import Base
from lockleaf.crypto.encoding import pack
from lockleaf.crypto.errors import Malformed
from lockleaf.wire import content
from lockleaf.wire.content import MAX_NAME
from lockleaf.wire.days import local_time

__all__ = [
    "MAX_NAME",
    "UNCHANGED",
    "EarlierDraft",
    "Entry",
    "EntryDraft",
    "Exported",
    "IncomingFile",
    "Unchanged",
    "check_size",
    "clean_tags",
    "clean_text",
    "date_text",
    "draft_content",
]


class Unchanged:
    """The type of `UNCHANGED`."""


UNCHANGED: Final = Unchanged()
"""A field that an edit leaves as it is; None empties it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the journal.

    ``date`` is ISO 8601 text as it was entered, a day or a time; ``metrics`` are the numbers that its writer gave it,
    by name; ``attachments`` are its files, which `Client.media` fetches. ``pending``: the server has not confirmed the
    latest edit. ``conflict``: another version of it waits for a decision. ``rejected``: the code of the server's
    refusal. ``foreign``: the fields of an entry that another application sealed by a scheme of its own, as it gave
    them: only that application can open them. ``merged``, in what `Journal.edit` returns: the entry had changed since
    its writer saw it, and has both changes now.
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
    weather: str | None = None
    location: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict, hash=False)
    attachments: tuple[Attachment, ...] = ()
    foreign: Mapping[str, Any] | None = field(default=None, hash=False)
    merged: bool = field(default=False, compare=False)
    shown_as: Base | None = field(default=None, repr=False, compare=False)
    """For this package alone: what an edit of this entry is merged on."""

    @property
    def version(self) -> str | None:
        """Names exactly the content that is shown here, for the ``base`` of an edit.

        It stays the same over a sync of the same content. None where not all of the content is known.
        """
        return None if self.shown_as is None else self.shown_as.version

    @property
    def local_time(self) -> datetime:
        """What the clock showed where it was written, without a zone: what entries are ordered by."""
        return local_time(self.date, self.time_zone, self.created_at)

    @property
    def day(self) -> dates.date:
        """Its day: the day where it was written, the same one for every reader."""
        return self.local_time.date()


@dataclass(frozen=True, slots=True)
class Exported:
    """What an entry to import was when this program exported it.

    Attributes:
        entry_id: its UUID, which it keeps.
        revision: the one that the server had confirmed, 0 for none.
        deleted: whether it was deleted.
        created_at, updated_at: RFC 3339, None where they are invalid.
        media_ids: of its attachments, whose bytes are not in the file.
    """

    entry_id: str
    revision: int = 0
    deleted: bool = False
    created_at: str | None = None
    updated_at: str | None = None
    media_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file of an entry to import, which is read as a stream when its turn comes.

    Attributes:
        name: as it shall be called in the entry; no other of its files is called so.
        key: names it within the entry, the same whenever it is read: by it a second import knows it again.
        size: in bytes.
        open: opens it, as a stream that can go back. It raises `OSError`, or anything whose text says why it cannot.
        media_type: such as ``image/jpeg``; what its content and its name stand for, if absent.
        media_id: that it has in the account that it was exported from.
    """

    name: str
    key: str
    size: int
    open: Callable[[], IO[bytes]] = field(compare=False, repr=False)
    media_type: str | None = None
    media_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What an entry to import says.

    Attributes:
        source: what the entry says of its source; the provider where that says nothing and it is not ``exported``.
    """

    body: str
    date: str
    title: str | None = None
    mood: str | None = None
    tags: tuple[str, ...] = ()
    time_zone: str | None = None
    weather: str | None = None
    location: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict, hash=False)
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierDraft(_Draft):
    """What an entry to import said before.

    Attributes:
        until: when it was replaced, RFC 3339; None where nobody knows.
    """

    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft(_Draft):
    """An entry to import. ``external_id`` names it within its provider: the same one makes the same entry.

    Attributes:
        exported: for an entry that this program exported: it keeps its id and its state.
        place: where it stands in what is imported, such as ``line 3``.
        notes: what was changed in it when it was read.
        files: what is attached to it.
        foreign: what another application gave the entry; see `Entry`.
        earlier: what it said before, oldest first; this device keeps that where the entry is new to it.
        absent: what belongs to it and is not there, each as a sentence without its full stop.
    """

    external_id: str
    provider: str
    exported: Exported | None = None
    place: str = ""
    notes: tuple[str, ...] = ()
    files: tuple[IncomingFile, ...] = ()
    absent: tuple[str, ...] = ()
    foreign: Mapping[str, Any] | None = field(default=None, hash=False)
    earlier: tuple[EarlierDraft, ...] = ()


@contextmanager
def _as_invalid_entry() -> Iterator[None]:
    try:
        yield
    except content.InvalidContent as error:
        raise InvalidEntry(str(error)) from None


def date_text(value: date | datetime | str) -> str:
    """Return ``value`` as the ISO 8601 text that is kept; text is kept as it is.

    Raises:
        InvalidEntry: it is no day and no time.
    """
    with _as_invalid_entry():
        return content.date_text(value)


def clean_text(value: str | None, name: str, limit: int) -> str | None:
    """Return a one-line field without space around it, None for an empty one.

    Raises:
        InvalidEntry: it is longer than ``limit`` characters.
    """
    with _as_invalid_entry():
        return content.clean_text(value, name, limit)


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags without space around them, each once however it is spelled, in their order and first spelling.

    Raises:
        InvalidEntry: more than 60, or one of more than 200 characters.
    """
    with _as_invalid_entry():
        return content.clean_tags(tags)


def draft_content(
    *,
    body: str,
    date: str,
    title: str | None = None,
    mood: str | None = None,
    weather: str | None = None,
    location: str | None = None,
    tags: Iterable[str] = (),
    time_zone: str | None = None,
    source: str | None = None,
    metrics: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the map of a new entry; what is absent has no field. ``metrics`` are checked already.

    Raises:
        InvalidEntry: a field is invalid.
        EntryTooLarge: the whole is longer than a record may be.
    """
    with _as_invalid_entry():
        fields = content.entry_fields(
            body=body,
            title=title,
            mood=mood,
            weather=weather,
            location=location,
            tags=tags,
            source=source,
            date=date,
            time_zone=time_zone,
        )
    if metrics:
        fields["metrics"] = dict(metrics)
    check_size(fields)
    return fields


def check_size(fields: Mapping[str, Any]) -> None:
    """Check that a map can be sealed.

    Raises:
        EntryTooLarge: it is longer than a record may be.
        InvalidEntry: it holds text that has no UTF-8 form.
    """
    try:
        size = len(pack(dict(fields)))
    except Malformed:
        raise InvalidEntry("the text cannot be written as UTF-8") from None
    if size > content.MAX_CONTENT_BYTES:
        raise EntryTooLarge
