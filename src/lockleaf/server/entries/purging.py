"""Deleting an entry for good, at once: what it held is dropped as it would be some time after its deletion."""

from __future__ import annotations

from uuid import UUID

from lockleaf.server.auth.principal import Principal
from lockleaf.server.context import Services
from lockleaf.server.db.engine import DriverTransaction
from lockleaf.server.entries import sealed
from lockleaf.server.entries.service import Entry
from lockleaf.server.entries.writing import COLLECTION
from lockleaf.server.http.preconditions import matches
from lockleaf.server.records import service as records
from lockleaf.server.records.errors import PreconditionFailed
from lockleaf.server.records.purge import purge_record
from lockleaf.wire.entries import PlainEntry, SealedEntry, ShownEntry
from lockleaf.wire.opaque_entries import OpaqueEntry

__all__ = ["deleted_before", "purge"]


async def purge(tx: DriverTransaction, services: Services, principal: Principal, entry: Entry) -> Entry:
    """Drop what a deleted entry held, and return it as it is then. That there was one stays in the history.

    Versions of it that wait for a choice stay: each may be the only copy of what a device wrote.
    """
    await purge_record(tx.connection, principal.user_id, COLLECTION, entry.id, now=services.clock())
    if isinstance(entry, SealedEntry):
        return entry
    left = entry.model_dump(include=set(ShownEntry.model_fields) - {"source"})
    return PlainEntry(**left) if isinstance(entry, PlainEntry) else OpaqueEntry(**left, encrypted_content=None)


async def deleted_before(
    tx: DriverTransaction, principal: Principal, entry_id: UUID, *, if_match: str | None
) -> SealedEntry | None:
    """Return a sealed entry that is deleted already, so that nothing is left to be sealed; None for another.

    Raises:
        PreconditionFailed: ``If-Match`` names another revision than the present one.
    """
    held = await records.hold(tx.connection, principal.user_id, COLLECTION, str(entry_id))
    if held is None or not held.deleted:
        return None
    if not matches(if_match, held.revision):
        raise PreconditionFailed(current_revision=held.revision)
    return sealed.shown(held)
