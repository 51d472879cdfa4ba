"""The rules of the vault: versions that only rise, one after another.

A version is the revision of the blob's record. A deletion is a revision too, so a blob that is made anew under an old
id goes on behind it: its first version is higher than any that the id ever had, and a device that still holds one of
those cannot mistake it for the present one.
"""

from __future__ import annotations

from uuid import UUID

from lockleaf.server.features.vault.errors import VaultNotFound, VersionConflict
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.paging import Paging
from lockleaf.server.platform.preconditions import matches
from lockleaf.server.records import blobs, pages
from lockleaf.server.records.errors import PreconditionFailed, RevisionRequired
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.codec import canonical, unpack
from lockleaf.wire.sync import Record
from lockleaf.wire.vault import (
    Vault,
    VaultChange,
    VaultCreated,
    VaultCreation,
    Vaults,
    VaultVersion,
    VaultVersions,
)

__all__ = ["create", "delete", "get", "list_all", "replace", "version", "versions"]

COLLECTION = "vault"


async def create(store: AccountRecords, body: VaultCreation) -> VaultCreated:
    """Store a new blob. The same one sent again is answered like the first time, also where it has moved on since.

    Raises:
        VersionConflict: another one is there.
        PayloadTooLarge: it is larger than a record may be.
        QuotaExceeded: the account would hold more than it may.
    """
    current = await store.current(COLLECTION, body.vault_id)
    payload = canonical(body.model_dump())
    if current is not None and not current.deleted:
        return _created(await _accepted(store, current, payload))
    return await _write(store, current, body.vault_id, payload)


async def replace(
    store: AccountRecords,
    vault_id: str,
    body: VaultChange,
    *,
    if_match: str | None,
) -> VaultCreated:
    """Store the next version of a blob; the same one sent again is answered like the first time.

    Raises:
        InvalidRequest: the body names another blob.
        VaultNotFound: there is no blob to replace.
        RevisionRequired: neither ``version`` nor ``If-Match`` says what is replaced.
        PreconditionFailed: ``If-Match`` names another version than the present one.
        VersionConflict: ``version`` is not the present one + 1.
        PayloadTooLarge: it is larger than a record may be.
        QuotaExceeded: the account would hold more than it may.
    """
    # `*` lets pass whatever is there, which is no word on what is replaced.
    if body.vault_id not in (None, vault_id):
        other = "this is another blob than that of the path: a blob keeps its id"
        raise InvalidRequest(errors=[{"field": "vault_id", "type": "value_error", "message": other}])
    if body.version is None and (if_match is None or if_match.strip() == "*"):
        raise RevisionRequired
    current = await store.current(COLLECTION, vault_id)
    if current is None or current.deleted:
        raise VaultNotFound
    following = current.revision + 1
    fields = {**body.model_dump(), "vault_id": vault_id}
    if body.salt is None:
        fields["salt"] = unpack(current.payload)["salt"]
    if body.version is not None and body.version != following:
        return _created(await _accepted(store, current, canonical(fields)))
    if not matches(if_match, current.revision):
        again = body.version is None and matches(if_match, current.revision - 1)
        if again and current.payload == canonical({**fields, "version": current.revision}):
            return _created(current)
        raise PreconditionFailed(current_version=current.revision)
    return await _write(store, current, vault_id, canonical({**fields, "version": following}))


async def _accepted(store: AccountRecords, current: Record, payload: bytes) -> Record:
    if current.payload == payload:
        return current
    earlier = await blobs.find_accepted(store.connection, store.user_id, COLLECTION, current.record_id, payload)
    if earlier is None:
        raise VersionConflict(current_version=current.revision)
    return earlier


async def _write(store: AccountRecords, current: Record | None, vault_id: str, payload: bytes) -> VaultCreated:
    version, now = await blobs.follow(store, current, store.change(COLLECTION, vault_id, current, payload))
    created_at = now if current is None else current.created_at
    return VaultCreated(vault_id=vault_id, created_at=created_at, updated_at=now, version=version)


def _created(record: Record) -> VaultCreated:
    return VaultCreated(
        vault_id=record.record_id,
        created_at=record.created_at,
        updated_at=record.updated_at,
        version=record.revision,
    )


async def delete(store: AccountRecords, vault_id: str, *, if_match: str | None) -> None:
    """Delete a blob with all its versions. What other devices see is that it was deleted, and when.

    Raises:
        VaultNotFound: there is no such blob.
        PreconditionFailed: ``If-Match`` names another version than the present one.
    """
    current = await store.current(COLLECTION, vault_id)
    if current is None or current.deleted:
        raise VaultNotFound
    if not matches(if_match, current.revision):
        raise PreconditionFailed(current_version=current.revision)
    await blobs.delete(store, current)


async def get(database: Database, user_id: UUID, vault_id: str) -> Vault:
    """Return a blob.

    Raises:
        VaultNotFound: there is no such blob.
    """
    async with database.read_driver() as connection:
        return _shown(await blobs.read(connection, user_id, COLLECTION, vault_id))


async def version(database: Database, user_id: UUID, vault_id: str, number: int) -> Vault:
    """Return one version of a blob that is there.

    Raises:
        VaultNotFound: there is no such blob, or it has no such version.
    """
    async with database.read_driver() as connection:
        return _shown(await blobs.read_version(connection, user_id, COLLECTION, vault_id, number))


def _shown(record: Record | None) -> Vault:
    if record is None:
        raise VaultNotFound
    return Vault.model_validate(
        {
            **unpack(record.payload),
            "version": record.revision,
            "created_at": record.created_at,
            "updated_at": record.updated_at,
        }
    )


async def list_all(database: Database, user_id: UUID, paging: Paging) -> Vaults:
    """Return a page of the account's blobs, by id: at most ``limit``, and fewer where they would exceed 8 MiB.

    Raises:
        InvalidCursor: the cursor is not of this list.
    """
    window = paging.window("vault", user_id, str)
    async with database.read_driver() as connection:
        page = await pages.by_id(connection, user_id, COLLECTION, window)
    return Vaults(items=tuple(map(_shown, page.items)), **window.answer(page))


async def versions(database: Database, user_id: UUID, vault_id: str, paging: Paging) -> VaultVersions:
    """Return a page of the versions of a blob that is there, newest first.

    Raises:
        VaultNotFound: there is no such blob.
        InvalidCursor: the cursor is not of this list.
    """
    window = paging.window(f"vault-versions/{vault_id}", user_id, int)
    async with database.read_driver() as connection:
        page = await blobs.versions(connection, user_id, COLLECTION, vault_id, window)
    if not page.items and not window.after and not window.skip:
        raise VaultNotFound
    items = tuple(VaultVersion(version=number, updated_at=at) for number, at in page.items)
    return VaultVersions(items=items, **window.answer(page))
