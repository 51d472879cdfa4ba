"""The feed as a reader verifies it: every page, every leaf, and the head computed again."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from lockleaf.crypto import history
from tests.support.accounts import Owner


@dataclass(frozen=True)
class Leaf:
    """One change, as the history names it."""

    seq: int
    collection: str
    record_id: str
    revision: int
    parent: bytes
    meta: bytes
    payload_hash: bytes
    deleted: bool

    @classmethod
    def of(cls, change: dict[str, Any]) -> Leaf:
        """The leaf of a change of the feed, whole or superseded."""
        if change.get("superseded"):
            return cls(**{name: change[name] for name in cls.__dataclass_fields__})
        return cls(
            **{name: change[name] for name in ("seq", "collection", "record_id", "revision", "parent", "deleted")},
            meta=history.meta(change.get("labels", ()), change.get("source"), change.get("occurred_at")),
            payload_hash=sha256(change["payload"]).digest(),
        )

    def hash(self) -> bytes:
        """The leaf's 32 bytes in the chain."""
        return history.leaf(
            self.seq,
            self.collection,
            self.record_id,
            self.revision,
            self.parent,
            self.meta,
            self.payload_hash,
            self.deleted,
        )


class Reader:
    """Reads an account's feed from its beginning, in pages, and keeps the chain of what it was given."""

    def __init__(self, owner: Owner, *, limit: int = 500) -> None:
        self.owner = owner
        self.limit = limit
        self.leaves: list[Leaf] = []
        self.head: bytes | None = None
        self._cursor: str | None = None

    @property
    def seq(self) -> int:
        """The number of the last change that was read."""
        return self.leaves[-1].seq if self.leaves else 0

    async def poll(self) -> bool:
        """Read one page behind the cursor; True if there is more. Holds the server's head to the chain at its end."""
        page = await self.owner.feed(self._cursor, limit=self.limit)
        if self.head is None:
            [epoch] = page["epochs"]
            self.head = history.epoch_head(epoch["epoch"], epoch["from_seq"], epoch["from_head"])
        for change in page["changes"]:
            leaf = Leaf.of(change)
            assert leaf.seq == self.seq + 1, f"change {leaf.seq} came after {self.seq}"
            self.leaves.append(leaf)
            self.head = history.next_head(self.head, leaf.hash())
        self._cursor = page["cursor"]
        if not page["has_more"]:
            assert (page["seq"], page["head"]) == (self.seq, self.head), "the head is not that of the changes given"
        return bool(page["has_more"])

    async def read_all(self) -> list[Leaf]:
        """Read to the end of the feed, and return every leaf from its beginning."""
        while await self.poll():
            pass
        return self.leaves
