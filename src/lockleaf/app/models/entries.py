"""Entries as the page sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from lockleaf.app.models.base import Answer, Body

__all__ = [
    "AttachmentOf",
    "Based",
    "Changes",
    "EntryView",
    "Find",
    "FoundEntries",
    "Narrowed",
    "Render",
    "Rendered",
    "Restore",
    "RevisionList",
    "RevisionSummary",
    "RevisionView",
    "Summary",
    "Write",
]

_LONGEST = 4 * 1024 * 1024
Text = Annotated[str, Field(max_length=_LONGEST)]
Short = Annotated[str, Field(max_length=1000)]
Tags = Annotated[tuple[Short, ...], Field(max_length=100)]
Numbers = Annotated[dict[Short, float], Field(max_length=100)]


class AttachmentOf(Answer):
    """A file of an entry. ``shown``: it is a picture that may stand in the page."""

    id: str
    name: str
    media_type: str
    size: int
    has_thumbnail: bool
    shown: bool


class Summary(Answer):
    """An entry in a list. ``marks``: what was found in ``excerpt``, in UTF-16 units: first, and last exclusive."""

    id: str
    title: str | None
    excerpt: str
    day: str
    entry_date: str
    time_zone: str | None
    mood: str | None
    tags: tuple[str, ...]
    words: int
    source: str | None
    attachments: tuple[AttachmentOf, ...]
    conflict: bool
    deleted: bool
    pending: bool
    version: str | None
    marks: tuple[tuple[int, int], ...] = ()


class EntryView(Summary):
    """A whole entry. ``html``: its body, made safe; pictures from elsewhere are links in it."""

    body: str
    html: str
    metrics: dict[str, float]
    weather: str | None
    location: str | None
    created_at: datetime
    updated_at: datetime
    foreign: bool = False
    merged: bool = False


class Narrowed(Body):
    """Which entries are wanted. ``query`` is the whole query language of the search."""

    query: Annotated[str, Field(max_length=4096)] = ""
    tags: Tags = ()
    mood: Short | None = None
    source: Short | None = None
    since: Annotated[str, Field(max_length=10)] | None = None
    until: Annotated[str, Field(max_length=10)] | None = None


class Find(Narrowed):
    """A page of the entries that are wanted."""

    deleted: bool = False
    cursor: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class FoundEntries(Answer):
    """A page of entries. ``words``: what to mark in an entry that is opened from here; ``ignored``: too common."""

    entries: tuple[Summary, ...]
    next_cursor: str | None
    total: int
    words: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class _Fields(Body):
    title: Short | None = None
    mood: Short | None = None
    weather: Short | None = None
    location: Short | None = None
    time_zone: Short | None = None


class Write(_Fields):
    """A new entry. ``id``: a UUID that the page draws, so that a repeated request writes once."""

    id: Annotated[str, Field(max_length=36)] | None = None
    draft: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")] | None = None
    body: Text
    entry_date: Short | None = None
    tags: Tags = ()
    metrics: Numbers = Field(default_factory=dict)


class Changes(_Fields):
    """What changes in an entry; what is not given stays. ``base``: the version that the writer saw."""

    base: Short | None = None
    draft: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")] | None = None
    body: Text | None = None
    entry_date: Short | None = None
    tags: Tags | None = None
    metrics: Annotated[dict[Short, float | None], Field(max_length=100)] | None = None


class Based(Body):
    """The version of an entry that somebody saw who decides about it."""

    base: Short | None = None


class Restore(Based):
    """What to bring back: a deleted entry, or the words of an earlier revision."""

    revision: Annotated[str, Field(max_length=20)] | None = None


class Render(Body):
    """Markdown."""

    body: Text
    entry_id: Annotated[str, Field(max_length=36)] | None = None


class Rendered(Answer):
    """The same as HTML, made safe."""

    html: str


class RevisionSummary(Answer):
    """An earlier state of an entry. ``number`` is empty where it can not be read."""

    number: str
    event: str
    written_at: datetime
    device: str
    title: str | None
    words: int | None
    verified: bool
    current: bool


class RevisionList(Answer):
    """Earlier states, newest first. ``complete``: the server's are among them."""

    revisions: tuple[RevisionSummary, ...]
    complete: bool


class RevisionView(Answer):
    """An earlier state, whole. ``differences``: from it to the entry as it is now, line by line."""

    number: str
    written_at: datetime
    title: str | None
    body: str
    html: str
    mood: str | None
    tags: tuple[str, ...]
    differences: tuple[tuple[str, str], ...]
