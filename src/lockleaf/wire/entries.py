"""Bodies of ``/entries``: with e2e an entry travels as its client sealed it, with uce as plain fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from annotated_types import Len
from pydantic import AfterValidator, AliasChoices, Field, StringConstraints, model_validator

from lockleaf.wire.base import OF_THE_SERVER, Body, Listed, RefusesSome, SeveralNames
from lockleaf.wire.content import (
    MAX_ATTACHMENTS,
    MAX_SOURCE,
    MAX_TITLE,
    clean_line,
    clean_tags,
    clean_text,
    date_text,
    known_time_zone,
)
from lockleaf.wire.fields import (
    BaseRevision,
    Bytes,
    DeviceId,
    Digest,
    Instant,
    NextRevision,
    RecordId,
    Rfc3339Text,
    Sequence64,
)
from lockleaf.wire.sync import Labels, Source, Tokens

__all__ = [
    "Attachment",
    "DateText",
    "EntryEvent",
    "EntryHistory",
    "PlainChange",
    "PlainCreation",
    "PlainEntry",
    "SealedChange",
    "SealedCreation",
    "SealedEntry",
    "SealedStep",
    "ShownEntry",
    "ZoneName",
]


# ---- what an end-to-end encrypted account sends and gets ----


class _Sealed(Body):
    payload: Bytes = Field(description="The entry, sealed by the client for this revision; at most 4 MiB.")
    labels: Labels = Field(default=(), description="Opaque labels of its mood, tags and source, to filter by.")
    source: Source | None = Field(default=None, description="Only if the user wants the server to know it.")
    occurred_at: Rfc3339Text | None = Field(
        default=None, description="Only if the user wants the server to sort by it; returned to the letter."
    )
    tokens: Tokens | None = Field(
        default=None, description="Of its words, where the account has switched its search index on."
    )
    device_id: DeviceId | None = None
    client_updated_at: Instant | None = None


class SealedCreation(_Sealed):
    """A new entry, sealed by the client."""

    id: UUID = Field(description="Chosen by the client, which seals the entry for it.")
    base_revision: Literal[0] = 0
    parent: Digest = bytes(32)


class SealedChange(_Sealed):
    """The next revision of an entry, sealed by the client."""

    asks_for_nothing: ClassVar[Mapping[str, str]] = OF_THE_SERVER

    parent: Digest = Field(description="SHA-256 of the payload of the revision that this follows.")
    base_revision: BaseRevision | None = Field(default=None, description="The revision that this follows.")
    revision: NextRevision | None = Field(default=None, description="The new revision: the present one + 1.")


class SealedStep(_Sealed):
    """A deletion (a sealed tombstone) or a restoration (the content, sealed again)."""

    asks_for_nothing: ClassVar[Mapping[str, str]] = OF_THE_SERVER

    parent: Digest = Field(description="SHA-256 of the payload of the revision that this follows.")
    base_revision: BaseRevision = Field(description="The revision that this follows.")


class ShownEntry(Body):
    """What every entry says of itself."""

    id: RecordId
    revision: Sequence64
    parent: Digest = Field(description="SHA-256 of the payload of the revision before; zeros for the first.")
    seq: Sequence64
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None = None
    source: str | None = None


class SealedEntry(ShownEntry):
    """An entry as its client sealed it; of a deleted one the tombstone."""

    payload: Bytes
    labels: Labels = ()
    occurred_at: Rfc3339Text | None = None


# ---- what the thin client of a uce account sends and gets ----


def _title(value: str) -> str | None:
    return clean_text(value, "title", MAX_TITLE)


def _source(value: str) -> str | None:
    # It is stored in the open, and PostgreSQL has no place for a NUL.
    if not value.isprintable():
        raise ValueError("the source is a line of text")
    return clean_text(value, "source", MAX_SOURCE)


Title = Annotated[str, AfterValidator(_title)]
Mood = Annotated[str, AfterValidator(clean_line("mood"))]
Weather = Annotated[str, AfterValidator(clean_line("weather"))]
Location = Annotated[str, AfterValidator(clean_line("location"))]
Tags = Annotated[tuple[str, ...], AfterValidator(clean_tags)]
PlainSource = Annotated[str, AfterValidator(_source)]
DateText = Annotated[str, StringConstraints(max_length=64), AfterValidator(date_text)]
ZoneName = Annotated[str, StringConstraints(max_length=64), AfterValidator(known_time_zone)]


class Medium(Body):
    """A file in the store: how long it is and which digest it has, plain and sealed."""

    media_id: UUID
    media_type: Annotated[str, StringConstraints(max_length=255)]
    size: Sequence64
    sha256: Digest | None = None
    sealed_size: Sequence64 | None = None
    sealed_sha256: Digest | None = None
    recipient: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="The age recipient to which the file is sealed."
    )


class Attachment(Medium):
    """A file that belongs to an entry. Its name is known to the entry alone."""

    name: Annotated[str, StringConstraints(max_length=255)]
    thumbnail: Medium | None = Field(default=None, description="A small picture of it, sealed as a file of its own.")


_OF_E2E = dict.fromkeys(
    ("encrypted_content", "encrypted_title", "content_hash", "payload"),
    "it belongs to end-to-end encrypted accounts; the server of a uce account seals `content` and `title` itself",
)

_SHOWN = {**OF_THE_SERVER, **dict.fromkeys(("unreadable", "imported"), OF_THE_SERVER["id"])}

Attachments = Annotated[tuple[Attachment, ...], Len(0, MAX_ATTACHMENTS)]


class _Plain(SeveralNames, RefusesSome):
    refused: ClassVar[Mapping[str, str]] = _OF_E2E
    asks_for_nothing: ClassVar[Mapping[str, str]] = _SHOWN

    title: Title | None = None
    mood: Mood | None = None
    weather: Weather | None = Field(default=None, description="In words, as a mood is; nothing is filtered by it.")
    location: Location | None = Field(default=None, description="In words, as a mood is; nothing is filtered by it.")
    tags: Tags | None = Field(
        default=None,
        validation_alias=AliasChoices("tags", "tag_names"),
        description="At most 60 of at most 200 characters; new ones are made.",
    )
    source: PlainSource | None = Field(default=None, description="Where it was written: web, mobile, import, ...")
    occurred_at: DateText | None = Field(
        default=None,
        description="The day or time that it is about, ISO 8601; returned to the letter. A time without a zone is in"
        " `time_zone`, else in UTC.",
    )
    time_zone: ZoneName | None = Field(default=None, description="A name of the IANA database.")
    attachments: Attachments | None = None


class PlainCreation(_Plain):
    """A new entry in plain fields, which the server seals before it stores them."""

    content: str
    id: UUID | None = Field(
        default=None,
        validation_alias=AliasChoices("id", "log_id"),
        description="Chosen by the client, so that it may send the request again.",
    )

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if not (self.content.strip() or self.title or self.mood or self.tags or self.attachments):
            raise ValueError("the entry is empty")
        return self


class PlainChange(_Plain):
    """Changes to an entry: what is absent stays as it is, null takes a field away."""

    content: str | None = None
    revision: NextRevision | None = Field(
        default=None, description="The new revision: the present one + 1. May be left out with `If-Match`."
    )


class PlainEntry(ShownEntry):
    """An entry in plain fields. A deleted one shows what it held, until that is purged."""

    content: str | None = None
    title: str | None = None
    mood: str | None = None
    weather: str | None = None
    location: str | None = None
    tags: tuple[str, ...] = ()
    occurred_at: str | None = None
    time_zone: str | None = None
    attachments: tuple[Attachment, ...] = ()
    unreadable: bool = Field(
        default=False, description="It does not open with the account's keys; its fields are absent."
    )
    imported: Digest | None = Field(
        default=None, description="Of what was imported, as the client that did it sealed it in; it stays with edits."
    )


# ---- what both get ----


class EntryEvent(Body):
    """What happened to an entry, and on which device."""

    event: Literal["created", "imported", "updated", "deleted", "restored", "published"]
    revision: Sequence64
    at: Instant
    device_id: str | None = Field(default=None, description="Absent where the server did it: `published`.")


class EntryHistory(Listed[EntryEvent]):
    """A page of what happened to an entry, oldest first."""
