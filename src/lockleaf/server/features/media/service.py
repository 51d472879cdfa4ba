"""The rules of media that are there: listing, fetching, deleting and restoring them, and what they take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lockleaf.server.features.media import names
from lockleaf.server.features.media.errors import MediaDeleted, MediaNotFound
from lockleaf.server.features.media.repository import USAGE, MediaRepository, StoredMedia, Which
from lockleaf.server.features.media.signing import Signer
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.paging import Paging
from lockleaf.wire.media import MediaDownload, MediaList

__all__ = ["delete", "download", "drop", "get", "holding", "list_all", "restore"]


async def get(database: Database, user_id: UUID, media_id: UUID) -> StoredMedia:
    """Return a file; an unfinished or deleted one too.

    Raises:
        MediaNotFound: there is no such file.
    """
    async with database.read_driver() as connection:
        found = await MediaRepository(connection, user_id).get(media_id)
    if found is None:
        raise MediaNotFound
    return found


async def list_all(
    clock: Clock,
    database: Database,
    custodian: Custodian,
    principal: Principal,
    paging: Paging,
    *,
    which: Which,
    entry_id: UUID | None,
) -> MediaList:
    """Return a page of files, latest declared first.

    Raises:
        InvalidCursor: the cursor is not of this list.
    """
    window = paging.window(f"media/{which}/{entry_id or ''}", principal.user_id, datetime, UUID)
    async with database.read_driver() as connection:
        page = await MediaRepository(connection, principal.user_id).page(window, which=which, entry_id=entry_id)
    found = [StoredMedia.of(row) for row in page.items]
    return MediaList(items=await names.shown_all(clock, database, custodian, principal, found), **window.answer(page))


async def download(media: StoredMedia, signer: Signer) -> MediaDownload:
    """Return the request that fetches a whole file from the store.

    Raises:
        MediaDeleted: it is deleted.
    """
    if media.deleted_at is not None:
        raise MediaDeleted
    return await signer.download(media)


async def delete(
    clock: Clock, database: Database, removals: Removals, user_id: UUID, media_id: UUID, *, for_good: bool
) -> None:
    """Delete a file; it can be restored for 30 days. One that is not whole yet is deleted for good.

    Args:
        for_good: at once, with its object: its quota is free again.

    Raises:
        MediaNotFound: there is no such file.
    """
    async with database.transaction() as tx:
        repository = MediaRepository(tx.connection, user_id)
        # Held: an upload that is completed at this moment comes before or after, not in between.
        media = await repository.hold(media_id)
        if media is None:
            raise MediaNotFound
        if for_good or media.state == "uploading":
            await repository.drop(media_id)
            tx.after_commit(removals.soon)
        else:
            await repository.mark_deleted(media_id, clock())


async def restore(database: Database, user_id: UUID, media_id: UUID) -> StoredMedia:
    """Bring a deleted file back; one that is there stays as it is.

    Raises:
        MediaNotFound: there is no such file, or no longer.
    """
    async with database.transaction() as tx:
        repository = MediaRepository(tx.connection, user_id)
        media = await repository.restore(media_id) or await repository.get(media_id)
    if media is None:
        raise MediaNotFound
    return media


async def drop(tx: Transaction, removals: Removals, user_id: UUID, media: Sequence[UUID]) -> None:
    """Delete files for good within a transaction; those that are gone are passed over."""
    repository = MediaRepository(tx.connection, user_id)
    dropped = [await repository.drop(media_id) for media_id in media]
    if any(dropped):
        tx.after_commit(removals.soon)


def holding(removals: Removals) -> Holding:
    """Return what this feature holds, whose objects ``removals`` deletes from the store once that is committed."""

    async def delete(tx: Transaction, user_id: UUID) -> int:
        dropped = await MediaRepository(tx.connection, user_id).drop_all()
        if dropped:
            tx.after_commit(removals.soon)
        return dropped

    return Holding("full_sync", delete, counted_as="media", usage=USAGE)
