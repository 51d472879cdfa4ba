"""The changes by which tags are written: sealed by the server with uce, opaque without keys."""

from __future__ import annotations

from functools import partial
from typing import Any

from lockleaf.server.identity.custody.keyrings import TOMBSTONE, OpenKeyring
from lockleaf.server.records.tagging import Present
from lockleaf.server.records.writer import AccountRecords, Base
from lockleaf.wire.sync import Change, Record

__all__ = ["COLLECTION", "change_of", "following", "present_of", "sealed_change", "tombstone"]

COLLECTION = "tags"


def following(held: Record) -> Present:
    """Return what a change to this tag follows."""
    base = Base.of(held)
    return Present(held.record_id, base.revision, base.payload_hash, held.deleted)


def present_of(held: Record | None) -> Present | None:
    """Return the same; None where there is no tag."""
    return None if held is None else following(held)


def sealed_change(
    store: AccountRecords, keys: OpenKeyring, record_id: str, present: Present | None, new: dict[str, Any]
) -> Change:
    """Return the change that seals ``new`` as a tag, behind what is ``present``."""
    return store.change(COLLECTION, record_id, _base_of(present), partial(keys.seal, content=new))


def tombstone(store: AccountRecords, keys: OpenKeyring | None, present: Present) -> Change:
    """Return the deletion of a tag: sealed with uce, and without a payload where nobody here could seal one."""
    payload = b"" if keys is None else partial(keys.seal, content={"type": TOMBSTONE})
    return store.change(COLLECTION, present.record_id, _base_of(present), payload, deleted=True)


def change_of(store: AccountRecords, record_id: str, present: Present | None, payload: bytes) -> Change:
    """Return the change that brings a payload as it is."""
    return store.change(COLLECTION, record_id, _base_of(present), payload)


def _base_of(present: Present | None) -> Base:
    return Base.of(None) if present is None else Base(present.revision, present.payload_hash)
