"""An honest history of an account, made leaf by leaf, and the pages of the feed that a server would give of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from lockleaf.crypto.history import ZERO, epoch_head, leaf, meta, next_head, payload_hash
from lockleaf.wire.sync import Epoch, Feed, Record, SupersededLeaf

__all__ = ["HistoryBuilder", "leaf_of", "meta_of", "superseded"]

_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class HistoryBuilder:
    """Writes changes and remembers everything of them, superseded payloads included.

    ``heads`` has the head at each seq; where an epoch begins, the epoch's own.
    """

    epochs: list[Epoch] = field(default_factory=lambda: [Epoch(epoch="first", from_seq=0, from_head=ZERO)])
    records: list[Record] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=lambda: [epoch_head("first", 0, ZERO)])

    @property
    def seq(self) -> int:
        return len(self.records)

    @property
    def head(self) -> bytes:
        return self.heads[-1]

    @property
    def epoch(self) -> str:
        return self.epochs[-1].epoch

    def write(
        self,
        record_id: str,
        payload: bytes,
        *,
        collection: str = "entries",
        deleted: bool = False,
        labels: tuple[bytes, ...] = (),
        occurred_at: str | None = None,
    ) -> Record:
        before = [item for item in self.records if (item.collection, item.record_id) == (collection, record_id)]
        record = Record(
            seq=self.seq + 1,
            collection=collection,
            record_id=record_id,
            revision=len(before) + 1,
            parent=payload_hash(before[-1].payload) if before else ZERO,
            payload=payload,
            deleted=deleted,
            labels=labels,
            occurred_at=occurred_at,
            device_id="device",
            client_updated_at=_TIME,
            created_at=_TIME,
            updated_at=_TIME,
        )
        self.records.append(record)
        self.heads.append(next_head(self.head, leaf_of(record)))
        return record

    def restore(self, seq: int, epoch: str) -> HistoryBuilder:
        """The history of a server whose database was restored to ``seq``, in its new epoch."""
        kept = [item for item in self.epochs if item.from_seq <= seq]
        return HistoryBuilder(
            epochs=[*kept, Epoch(epoch=epoch, from_seq=seq, from_head=self.heads[seq])],
            records=self.records[:seq],
            heads=[*self.heads[:seq], epoch_head(epoch, seq, self.heads[seq])],
        )

    def page(self, after: int = 0, limit: int = 500) -> Feed:
        """The page of the feed behind ``after``."""
        latest = {(item.collection, item.record_id): item.seq for item in self.records}
        shown = self.records[after : after + limit]
        return Feed(
            changes=tuple(
                item if latest[item.collection, item.record_id] == item.seq else superseded(item) for item in shown
            ),
            cursor=str(after + len(shown)),
            has_more=after + len(shown) < self.seq,
            seq=self.seq,
            head=self.head,
            epoch=self.epoch,
            epochs=tuple(self.epochs),
        )


def meta_of(record: Record) -> bytes:
    """The hash of what travels beside the payload."""
    return meta(record.labels, record.source, record.occurred_at)


def leaf_of(record: Record) -> bytes:
    """The record's leaf in the history."""
    return leaf(
        record.seq,
        record.collection,
        record.record_id,
        record.revision,
        record.parent,
        meta_of(record),
        payload_hash(record.payload),
        record.deleted,
    )


def superseded(record: Record) -> SupersededLeaf:
    """What a server shows of a record once a later revision is there."""
    return SupersededLeaf(
        seq=record.seq,
        collection=record.collection,
        record_id=record.record_id,
        revision=record.revision,
        parent=record.parent,
        meta=meta_of(record),
        payload_hash=payload_hash(record.payload),
        deleted=record.deleted,
    )
