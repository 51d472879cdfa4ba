"""Bodies of ``/sync/conflicts``: both versions of a record, and what shall stand (PROTOCOL section 5)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_serializer

from lockleaf.wire.base import Body
from lockleaf.wire.content import MAX_TITLE, clean_line, clean_tags, clean_text
from lockleaf.wire.fields import (
    BaseRevision,
    Bytes,
    Collection,
    DeviceId,
    Digest,
    Instant,
    RecordId,
    Rfc3339Text,
    Sequence64,
)
from lockleaf.wire.sync import Labels, Source, Tokens

__all__ = [
    "Choice",
    "Conflict",
    "ConflictVersion",
    "Conflicts",
    "Resolution",
    "ResolutionDetails",
    "ResolutionResult",
]

Choice = Literal["local", "remote", "merged"]


class ConflictVersion(Body):
    """One side of a conflict. For sealed records ``encrypted_content`` is the payload and ``iv``, ``tag`` are null."""

    encrypted_content: Bytes | None = Field(description="Null where the server has nothing, or a deletion.")
    iv: str | None = None
    tag: str | None = None
    encrypted_embedding: Bytes | None = None
    embedding_iv: str | None = None
    embedding_tag: str | None = None
    base_revision: BaseRevision
    parent: Digest
    revision: Sequence64 | None = Field(default=None, description="Remote: the revision on the server.")
    labels: Labels = ()
    source: Source | None = None
    occurred_at: Rfc3339Text | None = None
    deleted: bool
    device_id: str
    updated_at: Instant

    @model_serializer(mode="wrap")
    def _with_nulls(self, serialise, /):  # type: ignore[no-untyped-def]
        # Other absent fields are left out; these say by null that they are absent. (An annotation of what is returned
        # would take the place of this model in the OpenAPI document.)
        return {"encrypted_content": None, "iv": None, "tag": None, **serialise(self)}


class Conflict(Body):
    """Two versions of one record that wait for a person to choose."""

    id: str
    collection: Collection
    log_id: RecordId
    detected_at: Instant
    resolved_at: Instant | None = None
    chosen_version: Choice | None = None
    local_version: ConflictVersion = Field(description="What the uploading device sent.")
    remote_version: ConflictVersion = Field(description="What the server has.")


class Conflicts(Body):
    """The unresolved conflicts, or the resolved ones, oldest first."""

    conflicts: tuple[Conflict, ...]
    total_count: int
    next_cursor: str | None = None


def _title(value: str) -> str | None:
    return clean_text(value, "title", MAX_TITLE)


class Resolution(Body):
    """The choice of one side, or of a merged text.

    For sealed records ``local`` and ``merged`` bring a change sealed for current + 1. Where the server can seal (uce),
    a client that cannot leaves it out, and gives a merged entry by its fields. For backups ``merged`` brings the
    ``final_`` fields, and the kept version is enough for ``local``.
    """

    chosen_version: Choice
    base_revision: BaseRevision | None = Field(
        default=None,
        description="The revision that was looked at: another one by now is a conflict of its own. uce: required where"
        " the server seals.",
    )
    parent: Digest | None = None
    payload: Bytes | None = None
    deleted: bool = False
    labels: Labels = ()
    source: Source | None = None
    occurred_at: Rfc3339Text | None = None
    tokens: Tokens | None = Field(default=None, description="As with a change.")
    device_id: DeviceId | None = Field(
        default=None, description="The device that chooses; its session's by default. A backup stays that of `local`."
    )
    client_updated_at: Instant | None = Field(
        default=None, description="Of a backup no earlier than the choice, and later than both versions."
    )
    final_encrypted_content: Bytes | None = None
    final_iv: Annotated[str, StringConstraints(max_length=256)] | None = None
    final_tag: Annotated[str, StringConstraints(max_length=256)] | None = None
    final_encrypted_embedding: Bytes | None = None
    final_embedding_iv: Annotated[str, StringConstraints(max_length=256)] | None = None
    final_embedding_tag: Annotated[str, StringConstraints(max_length=256)] | None = None
    content: str | None = Field(default=None, description="uce: the merged text.")
    title: Annotated[str, AfterValidator(_title)] | None = Field(
        default=None, description="uce: as the merged entry has it, null for none; absent as the server has it."
    )
    mood: Annotated[str, AfterValidator(clean_line("mood"))] | None = None
    weather: Annotated[str, AfterValidator(clean_line("weather"))] | None = None
    location: Annotated[str, AfterValidator(clean_line("location"))] | None = None
    tags: Annotated[tuple[str, ...], AfterValidator(clean_tags)] | None = None


class ResolutionDetails(Body):
    """Which conflict was resolved, and how."""

    conflict_id: str
    log_id: str
    chosen_version: Choice
    seq: Sequence64 | None = None
    revision: Sequence64 | None = None


class ResolutionResult(Body):
    """The answer to a resolution."""

    success: bool = True
    message: str
    details: ResolutionDetails
