"""The rules of uploads: declared, sent to the store, completed.

What is asked of the store is asked outside of transactions: no lock and no connection waits for it. Each step may be
repeated, and a file that is gone in the meantime leaves nothing behind.
"""

from __future__ import annotations

from uuid import UUID

from lockleaf.server.features.media import names, without_digest
from lockleaf.server.features.media.errors import (
    MediaDeleted,
    MediaIdTaken,
    MediaNotFound,
    PartUnknown,
    UploadDamaged,
    UploadIncomplete,
)
from lockleaf.server.features.media.parts import DeclaredPart, fitting, packed, unpacked
from lockleaf.server.features.media.repository import MediaRepository, StoredMedia, new_key, stage
from lockleaf.server.features.media.service import get
from lockleaf.server.features.media.signing import Signer
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.blobs.protocol import ObjectStore, PartMissing, StoredPart, UploadGone, WrongPart
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records import service as records
from lockleaf.server.records.quota import Quota, QuotaExceeded
from lockleaf.wire.media import PARTS_AT_ONCE, MediaDeclaration, MediaDeclared, MediaParts, MediaPartsWanted

__all__ = ["complete", "declare", "more_parts", "whole"]


async def declare(
    clock: Clock,
    database: Database,
    quota: Quota,
    settings: Settings,
    custodian: Custodian,
    objects: ObjectStore,
    principal: Principal,
    body: MediaDeclaration,
    signer: Signer,
) -> MediaDeclared:
    """Keep what a client is about to upload, and give it the requests to do so.

    It counts against the quota from now on. The same declaration again gets requests of the same kind.

    Raises:
        TierRequired: the account's tier holds no media.
        QuotaExceeded: the account would hold more than it may.
        InvalidRequest: it names no digest, or a name, in an account with a keyring.
        MediaIdTaken: another declaration has its id.
        MediaDeleted: it is deleted.
        StoreUnavailable: the store does not answer.
    """
    media_id = body.id or uuid7(clock())
    async with database.transaction() as tx:
        media, is_new = await _declared(tx, clock, quota, settings, custodian, principal, media_id, body)
    if media.deleted_at is not None:
        raise MediaDeleted
    if media.state == "stored":
        return MediaDeclared(id=media_id, state="stored")
    declared = unpacked(media.parts)
    if not declared:
        return MediaDeclared(id=media_id, state="uploading", upload=await signer.upload(media))
    try:
        media = await _begun(database, objects, principal.user_id, media)
    except StoreUnavailable:
        if is_new:
            await _take_back(database, principal.user_id, media_id)
        raise
    except MediaNotFound:  # deleted in this moment, so it is declared anew
        return await declare(
            clock,
            database,
            quota,
            settings,
            custodian,
            objects,
            principal,
            body.model_copy(update={"id": media_id}),
            signer,
        )
    if media.upload_id is None:  # completed in this moment
        return MediaDeclared(id=media_id, state=media.state)
    signed = await signer.parts(media, media.upload_id, declared[:PARTS_AT_ONCE])
    return MediaDeclared(id=media_id, state="uploading", parts=signed)


async def _declared(
    tx: Transaction,
    clock: Clock,
    quota: Quota,
    settings: Settings,
    custodian: Custodian,
    principal: Principal,
    media_id: UUID,
    body: MediaDeclaration,
) -> tuple[StoredMedia, bool]:
    """Return the file of a declaration, and whether it is new."""
    # Behind the lock of whoever adds to what the account holds: two cannot take the same bytes, and a tier that is
    # being lowered finds everything there is.
    await records.lock(tx.connection, principal.user_id)
    await without_digest.require_digest(tx.connection, principal, body)
    now = clock()
    repository = MediaRepository(tx.connection, principal.user_id)
    held = await repository.touch(media_id, now)
    parts = packed(body.parts)
    if held is not None:
        told = (body.media_type, body.size, body.entry_id, parts)
        if (held.media_type, held.size, held.entry_id, held.parts) != told:
            raise MediaIdTaken
        # Who named no digest does not name it again, although the file has one once it is stored.
        if body.sha256 not in (None, held.sha256):
            raise MediaIdTaken
        if not await names.agrees(tx, clock, custodian, principal, held, body.file_name):
            raise MediaIdTaken
        return held, False
    used = await repository.bytes_used()
    limit = settings.media.quota_bytes(principal.custody)
    if limit is not None and used + body.size > limit:
        raise QuotaExceeded(limit=limit, used=used, needed=body.size)
    await quota.require(tx.connection, principal.user_id, body.size)
    added = await repository.add(
        media_id,
        key=new_key(),
        media_type=body.media_type,
        size=body.size,
        sha256=body.sha256,
        parts=parts,
        entry_id=body.entry_id,
        file_name=await names.kept(tx, clock, custodian, principal, media_id, body.file_name),
        now=now,
    )
    return added, True


async def _take_back(database: Database, user_id: UUID, media_id: UUID) -> None:
    """Free the quota of a declaration that came to nothing: its client may not know its id, and asks again."""
    async with database.transaction() as tx:
        await MediaRepository(tx.connection, user_id).drop_unbegun(media_id)


async def _begun(database: Database, objects: ObjectStore, user_id: UUID, media: StoredMedia) -> StoredMedia:
    """Return an unfinished file with the store's word for its upload in parts, which is begun if there is none yet.

    Raises:
        MediaNotFound: it was deleted meanwhile.
        StoreUnavailable: the store does not answer.
    """
    while media.upload_id is None and media.state == "uploading":
        upload_id = await objects.begin_parts(media.object_key)
        async with database.transaction() as tx:
            repository = MediaRepository(tx.connection, user_id)
            taken = await repository.take_upload(media.media_id, media.object_key, upload_id)
            found = taken or await repository.get(media.media_id)
        if taken is None or taken.upload_id != upload_id:  # somebody else was faster
            await objects.abort_parts(media.object_key, upload_id)
        if found is None:
            raise MediaNotFound
        media = found
    return media


async def more_parts(
    clock: Clock,
    database: Database,
    objects: ObjectStore,
    removals: Removals,
    user_id: UUID,
    media_id: UUID,
    body: MediaPartsWanted,
    signer: Signer,
) -> MediaParts:
    """Return requests for the parts that a client names, or for those that are missing, and which the store has.

    Raises:
        MediaNotFound, MediaDeleted: there is no such file.
        PartUnknown: it has no such part.
        StoreUnavailable: the store does not answer.
    """
    async with database.transaction() as tx:
        media = await MediaRepository(tx.connection, user_id).touch(media_id, clock())
    if media is None:
        raise MediaNotFound
    if media.deleted_at is not None:
        raise MediaDeleted
    declared = unpacked(media.parts)
    if body.numbers and max(body.numbers) > len(declared):
        raise PartUnknown(parts=len(declared))
    everything = tuple(part.number for part in declared)
    if media.state == "uploading" and declared:
        media = await _begun(database, objects, user_id, media)
    if media.state == "stored" or media.upload_id is None:
        there = everything if media.state == "stored" else ()
        return MediaParts(id=media_id, state=media.state, parts=(), stored=there)
    try:
        stored = fitting(declared, await objects.parts(media.object_key, media.upload_id))
    except UploadGone:
        if await objects.stat(media.object_key) is not None:  # put together, and its answer lost
            return MediaParts(id=media_id, state="uploading", parts=(), stored=everything)
        media, stored = await _begun_anew(database, objects, removals, user_id, media), []
    if media.upload_id is None:  # completed in this moment
        return MediaParts(id=media_id, state=media.state, parts=(), stored=())
    missing = sorted({*everything} - {*stored})
    wanted = missing[:PARTS_AT_ONCE] if body.numbers is None else dict.fromkeys(body.numbers)
    signed = await signer.parts(media, media.upload_id, [declared[number - 1] for number in wanted])
    return MediaParts(id=media_id, state="uploading", parts=signed, stored=tuple(stored))


async def _begun_anew(
    database: Database, objects: ObjectStore, removals: Removals, user_id: UUID, media: StoredMedia
) -> StoredMedia:
    """Begin an upload in parts again that the store has thrown away.

    Raises:
        MediaNotFound: the file was deleted meanwhile.
    """
    await _renew(database, removals, user_id, media)
    renewed = await get(database, user_id, media.media_id)
    return await _begun(database, objects, user_id, renewed) if renewed.state == "uploading" else renewed


async def _renew(database: Database, removals: Removals, user_id: UUID, media: StoredMedia) -> None:
    """Let the bytes of an unfinished upload come to another place, and have what lies at the present one deleted."""
    async with database.transaction() as tx:
        await MediaRepository(tx.connection, user_id).renew(media.media_id, media.object_key, key=new_key())
        tx.after_commit(removals.soon)


async def complete(
    clock: Clock, database: Database, objects: ObjectStore, removals: Removals, user_id: UUID, media_id: UUID
) -> StoredMedia:
    """Let a file exist, once the store has all of it as it was declared; a second time changes nothing.

    Raises:
        MediaNotFound: there is no such file, or it was deleted meanwhile.
        UploadIncomplete: the store does not have all of it.
        UploadDamaged: the store has something else.
        StoreUnavailable: the store does not answer.
    """
    now = clock()
    async with database.transaction() as tx:
        media = await MediaRepository(tx.connection, user_id).touch(media_id, now)
    if media is None:
        raise MediaNotFound
    if media.state == "stored":
        return media
    if media.sha256 is None:
        try:
            return await without_digest.complete(clock, database, objects, removals, user_id, media)
        except UploadDamaged:
            await _renew(database, removals, user_id, media)
            raise
    if not await _is_whole(objects, media, unpacked(media.parts)):
        await _renew(database, removals, user_id, media)
        raise UploadDamaged
    async with database.transaction() as tx:
        stored = await MediaRepository(tx.connection, user_id).complete(media_id, media.object_key, now)
        if stored is None:
            # Its object may have been made behind its deletion from the store.
            await stage(tx.connection, media.object_key, None)
            tx.after_commit(removals.soon)
    if stored is None:
        begun_anew = await get(database, user_id, media_id)
        raise UploadIncomplete(missing=[part.number for part in unpacked(begun_anew.parts)])
    return stored


async def whole(
    clock: Clock, database: Database, objects: ObjectStore, removals: Removals, user_id: UUID, media_id: UUID
) -> StoredMedia:
    """Return a file that the store has all of, also where its client did not say so.

    Raises:
        MediaNotFound: there is no such file.
        UploadIncomplete: the store does not have it all, or has something else.
        StoreUnavailable: the store does not answer.
    """
    media = await get(database, user_id, media_id)
    if media.state == "stored":
        return media
    try:
        return await complete(clock, database, objects, removals, user_id, media_id)
    except UploadDamaged:
        raise UploadIncomplete from None


async def _is_whole(objects: ObjectStore, media: StoredMedia, declared: list[DeclaredPart]) -> bool:
    """Tell whether the store has just what was declared; have it put parts together first.

    Raises:
        UploadIncomplete: it does not have all of it yet.
        StoreUnavailable: it does not answer.
    """
    key = media.object_key
    found = await objects.stat(key)
    if not declared:
        if found is None:
            raise UploadIncomplete(missing=[])
        return found.size == media.size and found.sha256 in (None, media.sha256)
    if found is None:
        missing = await _put_together(objects, media, declared)
        found = await objects.stat(key)
        if found is None:
            raise UploadIncomplete(missing=missing)
    # Its digest would be one of all the parts' digests in some stores, and none in others.
    return found.size == media.size


async def _put_together(objects: ObjectStore, media: StoredMedia, declared: list[DeclaredPart]) -> list[int]:
    """Have the store make the object of its parts, if they are all there; return the numbers of the missing ones."""
    everything = [part.number for part in declared]
    if media.upload_id is None:
        return everything
    try:
        stored = fitting(declared, await objects.parts(media.object_key, media.upload_id))
        if len(stored) == len(declared):
            whole = [StoredPart(part.number, part.size, part.sha256) for part in declared]
            await objects.complete_parts(media.object_key, media.upload_id, whole)
            return []
    except UploadGone:
        return everything  # or put together by somebody else: its caller looks again
    except PartMissing as error:
        return list(error.numbers)
    except WrongPart:
        return everything  # replaced in this moment: the client asks which
    return sorted({*everything} - {*stored})
