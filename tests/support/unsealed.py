"""Changes that a server, or anybody else without a key, writes behind what a record has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lockleaf.crypto.history import payload_hash
from tests.support.forged_history import History, bare

__all__ = ["follow"]


def follow(history: History, collection: str, record_id: str, **fields: Any) -> None:
    """Write a change without any key behind what the record has, with every number made to fit.

    Args:
        fields: of the change; without any it is one with an empty payload.
    """
    earlier = [item for item in history.changes if (item["collection"], item["record_id"]) == (collection, record_id)]
    now = datetime.now(UTC)
    change = {
        "superseded": False,
        "seq": history.seq + 1,
        "collection": collection,
        "record_id": record_id,
        "revision": len(earlier) + 1,
        "parent": bytes(32),
        "payload": b"",
        "deleted": False,
        "labels": (),
        "device_id": "older-program",
        "client_updated_at": now,
        "created_at": now,
        "updated_at": now,
        **fields,
    }
    if earlier:
        last = earlier[-1]
        change["parent"] = last["payload_hash"] if last["superseded"] else payload_hash(last["payload"])
        if not last["superseded"]:
            history.changes[history.changes.index(last)] = bare(last)
    history.changes.append(change)
