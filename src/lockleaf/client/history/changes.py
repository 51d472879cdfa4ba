"""Changes of the verified history, and the pages they come in."""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.client.errors import HistoryForked
from lockleaf.client.store.records import Leaf
from lockleaf.client.store.verified_history import Position
from lockleaf.crypto.history import ZERO, leaf, meta, payload_hash
from lockleaf.wire.sync import Epoch, Record, SupersededLeaf

__all__ = ["EpochsChanged", "Key", "VerifiedChange", "VerifiedPage", "following", "leaf_hash", "verified_change"]

Key = tuple[str, str]
"""Collection and record id."""


class EpochsChanged(Exception):
    """The server's epochs are others than those known and confirmed: it was restored, or emptied, or lies."""


@dataclass(frozen=True, slots=True)
class VerifiedChange:
    """One change of the history, in its ``epoch``.

    ``record`` is the whole for the latest revision, None for a superseded one.
    """

    seq: int
    collection: str
    record_id: str
    revision: int
    parent: bytes
    meta: bytes
    payload_hash: bytes
    deleted: bool
    record: Record | None
    epoch: str = ""

    @property
    def key(self) -> Key:
        """Collection and record id."""
        return self.collection, self.record_id


@dataclass(frozen=True, slots=True)
class VerifiedPage:
    """What a page of the feed proved: its changes, the heads (epoch, seq, head) along it, and where it ends."""

    changes: tuple[VerifiedChange, ...]
    heads: tuple[tuple[str, int, bytes], ...]
    epochs: tuple[Epoch, ...]
    position: Position
    complete: bool


def following(before: Leaf | None) -> tuple[int, bytes]:
    """Return revision and parent of the change that follows ``before``."""
    return (1, ZERO) if before is None else (before.revision + 1, before.payload_hash)


def verified_change(item: Record | SupersededLeaf, epoch: str) -> VerifiedChange:
    """Return what a change of the feed says of the history; whether it follows is for the caller to check.

    Raises:
        HistoryForked: it has a label twice.
    """
    if isinstance(item, Record):
        if len(set(item.labels)) != len(item.labels):
            raise HistoryForked(f"change {item.seq} has a label twice")
        described, digest = meta(item.labels, item.source, item.occurred_at), payload_hash(item.payload)
        record: Record | None = item
    else:
        described, digest, record = item.meta, item.payload_hash, None
    return VerifiedChange(
        item.seq,
        item.collection,
        item.record_id,
        item.revision,
        item.parent,
        described,
        digest,
        item.deleted,
        record,
        epoch,
    )


def leaf_hash(change: VerifiedChange) -> bytes:
    """Return the change's leaf in the hash chain."""
    return leaf(
        change.seq,
        change.collection,
        change.record_id,
        change.revision,
        change.parent,
        change.meta,
        change.payload_hash,
        change.deleted,
    )
