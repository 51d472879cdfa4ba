"""Bodies of ``/sync``: changes, the feed, checkpoints (PROTOCOL section 5)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from annotated_types import Len
from pydantic import AfterValidator, Field, StringConstraints

from lockleaf.wire.base import Body
from lockleaf.wire.codec import pack
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from lockleaf.wire.epochs import Epoch
from lockleaf.wire.fields import (
    BaseRevision,
    Bytes,
    Collection,
    DeviceId,
    Digest,
    Instant,
    Label,
    RecordId,
    Rfc3339Text,
    Sequence64,
    Token,
)
from lockleaf.wire.jobs import Job

__all__ = [
    "MAX_BATCH_BYTES",
    "MAX_BATCH_CHANGES",
    "MAX_PAYLOAD_BYTES",
    "MAX_TOKENS",
    "Change",
    "ChangeResult",
    "Checkpoint",
    "Checkpoints",
    "Collection",
    "Epoch",
    "Event",
    "Feed",
    "Labels",
    "Purged",
    "Push",
    "PushResult",
    "Record",
    "Resealed",
    "Source",
    "SupersededLeaf",
    "Tokens",
    "pack_record",
]

MAX_BATCH_CHANGES = 500
MAX_BATCH_BYTES = 8 * 1024 * 1024
"""Limit of a push body, and of the payloads on one page of a list, in bytes."""

# PostgreSQL, which keeps it as text, has no place for a NUL.
Source = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]


def _all_differ(labels: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if len(set(labels)) != len(labels):
        raise ValueError("a label occurs twice")
    return labels


Labels = Annotated[tuple[Label, ...], Len(0, 64), AfterValidator(_all_differ)]

MAX_TOKENS = 20_000
"""Search tokens of one entry: more different words than a text of the size that a record may have usually holds."""

Tokens = Annotated[tuple[Token, ...], Len(0, MAX_TOKENS)]


class Change(Body):
    """One change to one record: a new record, a new revision, or a sealed tombstone."""

    collection: Collection
    record_id: RecordId
    base_revision: BaseRevision = Field(description="The revision this change follows; 0 for a new record.")
    parent: Digest = Field(description="SHA-256 of the payload of that revision; zeros for a new record.")
    payload: Bytes = Field(description="Opaque sealed bytes, at most 4 MiB.")
    deleted: bool = False
    labels: Labels = ()
    source: Source | None = None
    occurred_at: Rfc3339Text | None = Field(default=None, description="Kept and returned to the letter.")
    tokens: Tokens | None = Field(
        default=None,
        description="Of an entry's words, where the account has switched its search index on. They are no part of the"
        " record, and are not returned.",
    )
    device_id: DeviceId
    client_updated_at: Instant
    on_conflict: Literal["keep", "reject"] = Field(
        default="reject", description="`keep`: a refused payload is stored as an open conflict."
    )


class Push(Body):
    """Up to 500 changes or 8 MiB, applied in order."""

    changes: Annotated[tuple[Change, ...], Len(1, MAX_BATCH_CHANGES)]
    atomic: bool = Field(default=False, description="All or nothing: one refused change refuses them all.")
    epoch: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="The epoch in which the changes were made. If it has ended, nothing is written."
    )


class Record(Body):
    """The latest revision of a record, whole."""

    superseded: Literal[False] = False
    seq: Sequence64
    collection: Collection
    record_id: RecordId
    revision: Sequence64
    parent: Digest
    payload: Bytes
    deleted: bool
    labels: Labels = ()
    source: Source | None = None
    occurred_at: Rfc3339Text | None = None
    device_id: str
    client_updated_at: Instant
    created_at: Instant
    updated_at: Instant


def pack_record(change: Change, *, seq: int, created_at: datetime, updated_at: datetime) -> bytes:
    """Return the ``Record`` that an accepted ``change`` makes, in MessagePack: stored so, sent so.

    Built without the model, since it is built for every change that is written; a test holds the two together.
    """
    record: dict[str, Any] = {
        "superseded": False,
        "seq": seq,
        "collection": change.collection,
        "record_id": change.record_id,
        "revision": change.base_revision + 1,
        "parent": change.parent,
        "payload": change.payload,
        "deleted": change.deleted,
        "labels": change.labels,
        "device_id": change.device_id,
        "client_updated_at": change.client_updated_at,
        "created_at": created_at,
        "updated_at": updated_at,
    }
    if change.source is not None:
        record["source"] = change.source
    if change.occurred_at is not None:
        record["occurred_at"] = change.occurred_at
    return pack(record)


class SupersededLeaf(Body):
    """An earlier revision, as the preimage of its leaf in the history."""

    superseded: Literal[True] = True
    seq: Sequence64
    collection: Collection
    record_id: RecordId
    revision: Sequence64
    parent: Digest
    meta: Digest
    payload_hash: Digest
    deleted: bool


class ChangeResult(Body):
    """What became of one change of a batch."""

    status: Literal["applied", "unchanged", "conflict", "rejected"]
    seq: Sequence64 | None = None
    revision: Sequence64 | None = None
    code: str | None = Field(default=None, description="Why it was rejected.")
    limit_bytes: int | None = Field(
        default=None, ge=0, description="With `payload_too_large`: how long a payload may be."
    )
    current: Record | None = Field(
        default=None,
        description="With `conflict`: the record as the server has it; left out behind 8 MiB of them, for the feed.",
    )
    conflict_id: str | None = Field(default=None, description="With `on_conflict: keep`: the stored conflict.")


class PushResult(Body):
    """A result for each change, in order, and the end of the history after them."""

    results: tuple[ChangeResult, ...]
    seq: Sequence64
    head: Digest
    epoch: str
    cursor: str = Field(description="Where the feed goes on behind `seq`, for a client that has verified up to it.")


class Feed(Body):
    """A page of changes in seq order."""

    changes: tuple[Annotated[Record | SupersededLeaf, Field(discriminator="superseded")], ...]
    cursor: str
    has_more: bool
    seq: Sequence64
    head: Digest
    epoch: str
    epochs: tuple[Epoch, ...] = Field(description="Every epoch of the account, oldest first, ended ones included.")
    verifiable: bool = Field(default=True, description="False where the feed was narrowed to one collection.")


class Event(Body):
    """What the live stream says: where the history ends, and how much waits."""

    seq: Sequence64
    inbox: int = Field(ge=0)
    conflicts: int = Field(ge=0)


class Checkpoint(Body):
    """A device's signed word on the history that it has verified."""

    epoch: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    seq: Sequence64
    head: Digest
    device_id: DeviceId
    time: Rfc3339Text
    signature: Annotated[Bytes, Len(64, 64)]


class Checkpoints(Body):
    """The latest checkpoint of each device."""

    items: tuple[Checkpoint, ...]


class Purged(Body):
    """What was dropped of what a retired master key sealed: payloads of superseded revisions and of decided conflicts.

    Current payloads, leaves and tombstones stay.
    """

    revisions: int
    conflicts: int
    has_more: bool = Field(description="There is more to drop: ask again.")


class Resealed(Body):
    """What became of one slice of sealing again after a rotation, and how far the whole is.

    Send another until the job has succeeded.
    """

    job: Job
    records: int = Field(ge=0, description="Entries and tags that this slice has sealed under the newest key.")
    conflicts: int = Field(ge=0, description="Open conflicts that it has kept again under the newest key.")
