"""The changes by which tags are written: sealed by the server with uce, opaque without keys."""

from __future__ import annotations

from typing import Any

from lockleaf.crypto.history import ZERO
from lockleaf.server.identity.custody.keyrings import TOMBSTONE, OpenKeyring
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.records.bases import base_of
from lockleaf.server.records.tagging import Present
from lockleaf.wire.sync import Change, Record

__all__ = ["COLLECTION", "change_of", "following", "present_of", "sealed_change", "tombstone"]

COLLECTION = "tags"


def following(held: Record) -> Present:
    """Return what a change to this tag follows."""
    return Present(held.record_id, *base_of(held), held.deleted)


def present_of(held: Record | None) -> Present | None:
    """Return the same; None where there is no tag."""
    return None if held is None else following(held)


def sealed_change(
    clock: Clock,
    principal: Principal,
    keys: OpenKeyring,
    record_id: str,
    present: Present | None,
    new: dict[str, Any],
) -> Change:
    """Return the change that seals ``new`` as a tag, behind what is ``present``."""
    base_revision, parent = _base_of(present)
    return keys.sealed_change(
        new,
        collection=COLLECTION,
        record_id=record_id,
        base_revision=base_revision,
        parent=parent,
        device=principal.device,
        written_at=clock(),
    )


def tombstone(clock: Clock, principal: Principal, keys: OpenKeyring | None, present: Present) -> Change:
    """Return the deletion of a tag: sealed with uce, and without a payload where nobody here could seal one."""
    if keys is None:
        return change_of(clock, principal, present.record_id, present, b"", deleted=True)
    return keys.sealed_change(
        {"type": TOMBSTONE},
        collection=COLLECTION,
        record_id=present.record_id,
        base_revision=present.revision,
        parent=present.payload_hash,
        deleted=True,
        device=principal.device,
        written_at=clock(),
    )


def change_of(
    clock: Clock,
    principal: Principal,
    record_id: str,
    present: Present | None,
    payload: bytes,
    *,
    deleted: bool = False,
) -> Change:
    """Return the change that brings a payload as it is."""
    base_revision, parent = _base_of(present)
    return Change(
        collection=COLLECTION,
        record_id=record_id,
        base_revision=base_revision,
        parent=parent,
        payload=payload,
        deleted=deleted,
        device_id=principal.device,
        client_updated_at=clock(),
    )


def _base_of(present: Present | None) -> tuple[int, bytes]:
    return (0, ZERO) if present is None else (present.revision, present.payload_hash)
