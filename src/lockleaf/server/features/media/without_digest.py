"""Files whose clients name no digest before they send them: those of older clients, which keep no keyring.

The address that their bytes are sent to is good for any bytes of the declared size, and for others after those. So a
file comes to exist as a copy, at a place to which nobody has an address, and has the digest of that copy.
"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from lockleaf.server.features.media.errors import UploadDamaged, UploadIncomplete
from lockleaf.server.features.media.repository import MediaRepository, StoredMedia, new_key, stage
from lockleaf.server.features.media.service import get
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.records.opaque import takes_opaque
from lockleaf.wire.media import MediaDeclaration

__all__ = ["complete", "require_digest"]


async def require_digest(connection: asyncpg.Connection, principal: Principal, body: MediaDeclaration) -> None:
    """Return if a declaration names its digest, or comes from a client that need not.

    Raises:
        InvalidRequest: the account's clients seal files under a keyring, and know what they will send.
    """
    if body.sha256 is not None or principal.custody == "uce" or await takes_opaque(connection, principal.user_id):
        return
    needed = "name the SHA-256 of the sealed file: an account with a keyring takes no other bytes"
    raise InvalidRequest(errors=[{"field": "sha256", "type": "missing", "message": needed}])


async def complete(
    clock: Clock, database: Database, objects: ObjectStore, removals: Removals, user_id: UUID, media: StoredMedia
) -> StoredMedia:
    """Let a file exist as the store has it now, with the digest of what it has.

    Raises:
        MediaNotFound: it was deleted meanwhile.
        UploadIncomplete: the store does not have it.
        UploadDamaged: the store has something of another size.
        StoreUnavailable: the store does not answer.
    """
    key = new_key(beside=media.object_key)
    copied = await objects.copy(media.object_key, key)
    if copied is None or copied.sha256 is None:
        stored = None
    elif copied.size != media.size:
        await _forget(database, removals, key)
        raise UploadDamaged
    else:
        async with database.transaction() as tx:
            stored = await MediaRepository(tx.connection, user_id).settle(
                media.media_id, media.object_key, key=key, sha256=copied.sha256, now=clock()
            )
            if stored is None:
                await stage(tx.connection, key, None)
            tx.after_commit(removals.soon)
    if stored is None:
        stored = await get(database, user_id, media.media_id)
        if stored.state != "stored":  # or completed in this moment
            raise UploadIncomplete(missing=[])
    return stored


async def _forget(database: Database, removals: Removals, key: str) -> None:
    async with database.transaction() as tx:
        await stage(tx.connection, key, None)
        tx.after_commit(removals.soon)
