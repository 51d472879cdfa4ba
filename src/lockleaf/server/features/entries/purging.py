"""Deleting an entry for good, at once: what it held is dropped as it would be some time after its deletion."""

from __future__ import annotations

from uuid import UUID

from lockleaf.server.features.content import sealed
from lockleaf.server.features.entries.service import Entry
from lockleaf.server.features.entries.writing import COLLECTION
from lockleaf.server.identity.custody.caller_records import CallerRecords
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.preconditions import matches
from lockleaf.server.records.errors import PreconditionFailed
from lockleaf.server.records.opaque import takes_opaque
from lockleaf.server.records.purge import purge_record
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.entries import PlainEntry, SealedEntry, ShownEntry
from lockleaf.wire.opaque_entries import OpaqueEntry

__all__ = ["deleted_before", "purge", "require_allowed"]


async def require_allowed(store: CallerRecords) -> None:
    """Check that an account's session may delete for good.

    Where clients seal, nobody here can tell a tombstone from any other bytes: whoever has stolen a token, and no key,
    would delete the only copy but those on devices.

    Raises:
        InvalidRequest: the account is end-to-end encrypted under a keyring.
    """
    if store.principal.custody == "e2e" and not await takes_opaque(store.connection, store.user_id):
        kept = (
            "what is deleted from an account with a keyring is kept until it is purged: a token alone must not drop it"
        )
        raise InvalidRequest(errors=[{"field": "permanent", "type": "value_error", "message": kept}])


async def purge(store: AccountRecords, entry: Entry, *, if_match: str | None) -> Entry:
    """Drop what a deleted entry held, and return it as it is then. That there was one stays in the history.

    Versions of it that wait for a choice stay: each may be the only copy of what a device wrote.

    Raises:
        PreconditionFailed: ``If-Match`` names neither the deletion nor the revision that was deleted.
    """
    if not matches(if_match, entry.revision) and not matches(if_match, entry.revision - 1):
        raise PreconditionFailed(current_revision=entry.revision)
    await purge_record(store.connection, store.user_id, COLLECTION, entry.id, now=store.clock())
    if isinstance(entry, SealedEntry):
        return entry
    left = entry.model_dump(include=set(ShownEntry.model_fields) - {"source"})
    return PlainEntry(**left) if isinstance(entry, PlainEntry) else OpaqueEntry(**left, encrypted_content=None)


async def deleted_before(store: AccountRecords, entry_id: UUID) -> SealedEntry | None:
    """Return a sealed entry that is deleted already, so that nothing is left to be sealed; None for another."""
    current = await store.current(COLLECTION, str(entry_id))
    return None if current is None or not current.deleted else sealed.shown(current)
