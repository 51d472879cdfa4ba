"""The changes by which tags are written: sealed by the server with uce, opaque without keys."""

from __future__ import annotations

from functools import partial
from typing import Any

from lockleaf.server.identity.custody.keyrings import TOMBSTONE, OpenKeyring
from lockleaf.server.records.tagging import Present
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.sync import Change, Record

__all__ = ["COLLECTION", "change_of", "sealed_change", "tombstone"]

COLLECTION = "tags"


Followed = Present | Record | None
"""The tag that a change follows; None for a new one."""


def sealed_change(
    store: AccountRecords, keys: OpenKeyring, record_id: str, present: Followed, new: dict[str, Any]
) -> Change:
    """Return the change that seals ``new`` as a tag, behind what is ``present``."""
    return store.change(COLLECTION, record_id, present, partial(keys.seal, content=new))


def tombstone(store: AccountRecords, keys: OpenKeyring | None, present: Present | Record) -> Change:
    """Return the deletion of a tag: sealed with uce, and without a payload where nobody here could seal one."""
    payload = b"" if keys is None else partial(keys.seal, content={"type": TOMBSTONE})
    return store.change(COLLECTION, present.record_id, present, payload, deleted=True)


def change_of(store: AccountRecords, record_id: str, present: Followed, payload: bytes) -> Change:
    """Return the change that brings a payload as it is."""
    return store.change(COLLECTION, record_id, present, payload)
