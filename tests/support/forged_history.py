"""A history that a server makes up: whatever is in it, its numbers and heads are right."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from lockleaf.client import Client
from lockleaf.client.sync.pull import fetch_page
from lockleaf.crypto.history import epoch_head, leaf, meta, next_head, payload_hash
from tests.support.lying_server import MADE_UP

__all__ = ["Change", "History", "bare", "history_of"]

Change = dict[str, Any]
"""A change as it stands in the feed."""

_LEAF = ("seq", "collection", "record_id", "revision", "parent", "deleted")


def bare(change: Change) -> Change:
    """The change without its content: the form of a superseded revision."""
    return {
        "superseded": True,
        **{name: change[name] for name in _LEAF},
        "meta": _meta(change),
        "payload_hash": _hash(change),
    }


class History:
    """Changes in order, and the epochs in which they were made."""

    def __init__(self, changes: list[Change], epochs: list[dict[str, Any]]) -> None:
        self.changes = changes
        self.epochs = epochs

    def copy(self) -> History:
        return History(copy.deepcopy(self.changes), copy.deepcopy(self.epochs))

    def of(self, record_id: str, revision: int | None = None) -> Change:
        """The last change of a record, or the one that made a revision."""
        (*_, found) = (
            change
            for change in self.changes
            if change["record_id"] == record_id and revision in (None, change["revision"])
        )
        return found

    def renumber(self) -> None:
        """Close the gaps in the sequence."""
        for seq, change in enumerate(self.changes, start=self.epochs[0]["from_seq"] + 1):
            change["seq"] = seq

    @property
    def seq(self) -> int:
        return int(self.changes[-1]["seq"]) if self.changes else int(self.epochs[-1]["from_seq"])

    def head(self, through: int | None = None) -> bytes:
        """The head behind change ``through``, or behind the last one with every epoch begun."""
        held = next((index for index, epoch in enumerate(self.epochs) if not epoch.get("ended")), 0)
        waiting = list(self.epochs[held:])
        head = b""
        seq = waiting[0]["from_seq"]
        for change in [*self.changes, None]:
            while waiting and waiting[0]["from_seq"] == seq and not (through == seq and head):
                epoch = waiting.pop(0)
                head = epoch_head(epoch["epoch"], epoch["from_seq"], epoch["from_head"])
            if change is None or through == seq:
                break
            seq = change["seq"]
            head = next_head(head, _leaf(change))
        return head

    def page(self, after: int, limit: int) -> dict[str, Any]:
        """The page of the feed behind ``after``."""
        changes = [change for change in self.changes if change["seq"] > after]
        shown = changes[:limit]
        last = shown[-1]["seq"] if shown else max(after, 0)
        return {
            "changes": shown,
            "cursor": f"{MADE_UP}{last}",
            "has_more": len(shown) < len(changes),
            "seq": self.seq,
            "head": self.head(),
            "epoch": self.epochs[-1]["epoch"],
            "epochs": self.epochs,
        }

    def state(self, statements: list[dict[str, Any]]) -> None:
        """Keep what devices signed about epochs, as an honest server does."""
        for epoch in self.epochs:
            known = epoch.get("statements", ())
            epoch["statements"] = [*known, *(each for each in statements if each["new_epoch"] == epoch["epoch"])]

    def push(self, changes: list[Change]) -> dict[str, Any]:
        """Take changes in, as an honest server does."""
        results = [self._take(change) for change in changes]
        return {
            "results": results,
            "seq": self.seq,
            "head": self.head(),
            "epoch": self.epochs[-1]["epoch"],
            "cursor": f"{MADE_UP}{self.seq}",
        }

    def _take(self, change: Change) -> dict[str, Any]:
        revision = change["base_revision"] + 1
        earlier = [item for item in self.changes if item["record_id"] == change["record_id"]]
        for item in earlier:
            if item["revision"] == revision and _hash(item) == payload_hash(change["payload"]):
                return {"status": "unchanged", "seq": item["seq"], "revision": revision}
        if len(earlier) != change["base_revision"]:
            return {"status": "conflict"}
        if earlier and not earlier[-1].get("superseded"):
            self.changes[self.changes.index(earlier[-1])] = bare(earlier[-1])
        seq, now = self.seq + 1, datetime.now(UTC)
        times = {"client_updated_at": now, "created_at": now, "updated_at": now}
        place = {"superseded": False, "seq": seq, "revision": revision}
        self.changes.append({"deleted": False, **change, **times, **place})
        return {"status": "applied", "seq": seq, "revision": revision}

    def restored(self, through: int, epoch: str = "epoch-after-the-restore") -> History:
        """What a server has that was put back to the state behind change ``through``.

        It must hold the contents of what was the latest then, so it is made of a history read at that time.
        """
        new = self.copy()
        new.changes = [change for change in new.changes if change["seq"] <= through]
        new.epochs.append({"epoch": epoch, "from_seq": through, "from_head": new.head(through)})
        return new


def _meta(change: Change) -> bytes:
    if change.get("superseded"):
        return bytes(change["meta"])
    return meta(change.get("labels", ()), change.get("source"), change.get("occurred_at"))


def _hash(change: Change) -> bytes:
    return bytes(change["payload_hash"]) if change.get("superseded") else payload_hash(change["payload"])


def _leaf(change: Change) -> bytes:
    seq, collection, record_id, revision, parent, deleted = (change[name] for name in _LEAF)
    return leaf(seq, collection, record_id, revision, parent, _meta(change), _hash(change), deleted)


async def history_of(client: Client) -> History:
    """The history that the server shows to ``client``, as it is now."""
    transport = client._device.session.transport
    feed = await fetch_page(transport, None)
    changes = list(feed.changes)
    while feed.has_more:
        feed = await fetch_page(transport, feed.cursor)
        changes.extend(feed.changes)
    return History([change.model_dump() for change in changes], [epoch.model_dump() for epoch in feed.epochs])
