"""Bodies of ``/entries`` for clients that seal by a scheme of their own, in e2e accounts without a keyring.

The server takes every field as text that means nothing to it. Fields that it has never heard of are kept and given back
too: one of them may be what opens the others.
"""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Self
from uuid import UUID

from annotated_types import Len
from pydantic import AliasChoices, ConfigDict, Field, StringConstraints, model_validator

from lockleaf.wire.base import OF_THE_SERVER, Listed, SeveralNames, invalid_field
from lockleaf.wire.content import MAX_TAGS
from lockleaf.wire.entries import DateText, PlainEntry, SealedEntry, ShownEntry, ZoneName
from lockleaf.wire.fields import BaseRevision, NextRevision
from lockleaf.wire.sync import Source, Tokens

__all__ = ["Entries", "OpaqueChange", "OpaqueCreation", "OpaqueEntry"]

MAX_FURTHER = 32
"""Fields beside those that have a name here."""
LONGEST_FURTHER = 4096

_NOT_KEPT = OF_THE_SERVER.keys() | {"revision", "base_revision"}

Line = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
ContentHash = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,256}$")]
TagName = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
TagNames = Annotated[tuple[TagName, ...], Len(0, MAX_TAGS)]


def _is_small(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= MAX_FURTHER and all(map(_is_scalar, value))
    return _is_scalar(value)


def _is_scalar(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_FURTHER
    if isinstance(value, float):
        return isfinite(value)  # JSON has no other, so it could not be given back
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63)


class _OpaqueFields(SeveralNames):
    model_config = ConfigDict(extra="allow")

    encrypted_title: Annotated[str, StringConstraints(min_length=1, max_length=8192)] | None = None
    content_hash: ContentHash | None = Field(
        default=None, description="Of the content, as the client makes it: the same entry sent twice is one by it."
    )
    tag_names: TagNames | None = Field(
        default=None,
        validation_alias=AliasChoices("tag_names", "tags"),
        description="As the client made them. A plain name is one that the server sees.",
    )
    mood: Line | None = None
    weather: Line | None = None
    location: Line | None = None
    source: Source | None = None
    occurred_at: DateText | None = Field(default=None, description="As with uce; the server sees it.")
    time_zone: ZoneName | None = None
    tokens: Tokens | None = Field(default=None, description="As with a sealed entry.")

    @model_validator(mode="after")
    def _further_fields_are_small(self) -> Self:
        further = self.further()
        if len(further) > MAX_FURTHER:
            raise invalid_field("encrypted_content", f"more than {MAX_FURTHER} fields stand beside it")
        for name, value in further.items():
            if not _is_small(value) or len(name) > 64:
                raise invalid_field(name[:64], "a field that is only kept holds text, a number, or a list of them")
        return self

    def further(self) -> dict[str, Any]:
        """Return the fields that have no name here, which are kept as they came."""
        found = self.model_extra or {}
        return {name: value for name, value in found.items() if name not in _NOT_KEPT}


class OpaqueCreation(_OpaqueFields):
    """A new entry, sealed by a scheme of the client's own."""

    encrypted_content: Annotated[str, StringConstraints(min_length=1)]
    id: UUID | None = Field(
        default=None,
        validation_alias=AliasChoices("id", "log_id"),
        description="Chosen by the client, so that it may send the request again.",
    )


class OpaqueChange(_OpaqueFields):
    """Changes to such an entry: what is absent stays as it is, null takes a field away."""

    encrypted_content: Annotated[str, StringConstraints(min_length=1)] | None = None
    base_revision: BaseRevision | None = Field(default=None, description="The revision that this follows.")
    revision: NextRevision | None = Field(
        default=None, description="The new revision: the present one + 1. May be left out with `If-Match`."
    )


class OpaqueEntry(ShownEntry):
    """An entry whose client sealed it by a scheme of its own, with all fields that it sent.

    A deleted one shows what it held, until that is purged.
    """

    model_config = ConfigDict(extra="allow")

    encrypted_content: str | None
    encrypted_title: str | None = None
    content_hash: str | None = None
    tag_names: tuple[str, ...] = ()
    mood: str | None = None
    weather: str | None = None
    location: str | None = None
    occurred_at: str | None = None
    time_zone: str | None = None


class Entries(Listed[PlainEntry | SealedEntry | OpaqueEntry]):
    """A page of entries, newest first."""
