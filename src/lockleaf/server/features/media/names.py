"""The names of files, as clients give them at upload that keep no names in their entries.

With uce a name is sealed with the account's keys before it is stored, like everything that a person wrote; with e2e it
comes as the client made it, from one that keeps its keys to itself. Who has a keyring keeps names within entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from lockleaf.server.features.media.repository import StoredMedia
from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.errors import ContentUnreadable
from lockleaf.server.identity.custody.keyrings import OpenKeyring
from lockleaf.server.identity.custody.reading import reading
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.records.opaque import takes_opaque
from lockleaf.wire.media import Media

__all__ = ["agrees", "kept", "shown", "shown_all"]

READING = "media.read"
WRITING = "media.write"


async def kept(
    tx: Transaction, clock: Clock, custodian: Custodian, principal: Principal, media_id: UUID, name: str | None
) -> bytes | None:
    """Return a file's name as it is stored.

    Raises:
        InvalidRequest: the account has a keyring, and keeps names within its entries.
        SessionRevoked: as the custody says.
    """
    if name is None:
        return None
    if principal.custody == "uce":
        async with keyrings.opened(clock, custodian, tx.connection, principal, purpose=WRITING) as keys:
            return keys.seal_name(media_id, name)
    if not await takes_opaque(tx.connection, principal.user_id):
        belongs = "the name of a file belongs within its entry, sealed with it"
        raise InvalidRequest(errors=[{"field": "file_name", "type": "value_error", "message": belongs}])
    return name.encode()


async def agrees(
    tx: Transaction, clock: Clock, custodian: Custodian, principal: Principal, held: StoredMedia, name: str | None
) -> bool:
    """Tell whether a file that is declared again has the name that it had."""
    if name is None or held.file_name is None:
        return name is None and held.file_name is None
    if principal.custody != "uce":
        return held.file_name == name.encode()
    async with keyrings.opened(clock, custodian, tx.connection, principal, purpose=WRITING) as keys:
        return _opened(keys, held) == name


async def shown(
    clock: Clock, database: Database, custodian: Custodian, principal: Principal, media: StoredMedia
) -> Media:
    """Return what its account sees of a file."""
    (found,) = await shown_all(clock, database, custodian, principal, (media,))
    return found


async def shown_all(
    clock: Clock, database: Database, custodian: Custodian, principal: Principal, found: Sequence[StoredMedia]
) -> tuple[Media, ...]:
    """Return what their account sees of files. Only where one has a sealed name, the keys are opened for it."""
    if principal.custody != "uce" or all(media.file_name is None for media in found):
        return tuple(_shown(None, media) for media in found)
    async with reading(clock, database, custodian, principal, purpose=READING) as (_, keys):
        return tuple(_shown(keys, media) for media in found)


def _shown(keys: OpenKeyring | None, media: StoredMedia) -> Media:
    return Media(
        id=media.media_id,
        media_type=media.media_type,
        size=media.size,
        sha256=media.sha256,
        entry_id=media.entry_id,
        file_name=_opened(keys, media),
        state=media.state,
        created_at=media.created_at,
        completed_at=media.completed_at,
        deleted_at=media.deleted_at,
    )


def _opened(keys: OpenKeyring | None, media: StoredMedia) -> str | None:
    if media.file_name is None:
        return None
    if keys is None:
        return media.file_name.decode()
    try:
        return keys.open_name(media.media_id, media.file_name)
    except ContentUnreadable:
        return None
