"""The rules of the inbox: what arrives is sealed to the account at once, and waits until a device takes it.

What an item holds is in the server's memory while it is sealed, and nowhere else: neither stored, nor logged, nor part
of an error.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto import identity
from lockleaf.server.features.inbox.errors import InboxFull, ItemNotFound, ItemTooLarge, RecipientRequired
from lockleaf.server.features.inbox.repository import USAGE, InboxRepository, count
from lockleaf.server.features.media import service as media_files
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.paging import Paging
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import LimitSettings
from lockleaf.server.platform.tiers import TierRequired
from lockleaf.server.records import usage
from lockleaf.server.records.quota import Quota
from lockleaf.wire.codec import pack, unpack
from lockleaf.wire.content import MAX_CONTENT_BYTES, MAX_PAYLOAD_BYTES
from lockleaf.wire.inbox import Inbox, InboxContent, InboxItem
from lockleaf.wire.sync import MAX_BATCH_BYTES

__all__ = ["HOLDING", "acknowledge", "add", "count", "list_all"]


async def add(
    tx: Transaction,
    clock: Clock,
    limits: LimitSettings,
    server_keys: ServerKeys,
    user_id: UUID,
    provider: str,
    external_id: str,
    content: bytes | Mapping[str, Any],
    *,
    media: Sequence[UUID] = (),
    quota: Quota | None = None,
) -> UUID:
    """Seal something to an account and put it into its inbox; what waits there already is left as it is.

    Arguments:
        provider: where it comes from, by its short name.
        external_id: what the provider calls it; with ``provider`` it decides which entry it becomes.
        content: ``body``, and as far as there are ``title``, ``mood``, ``weather``, ``location``, ``tags``,
            ``occurred_at`` (RFC 3339 with a zone), ``time_zone``, ``link``, ``attachments`` and ``missing``: a map, or
            one in MessagePack.
        media: the files that its attachments name. They go if the item is refused.
        quota: of this server; None where the item comes whatever the account holds.

    Returns:
        The item's id: the same for the same thing, so that a provider may be asked twice.

    Raises:
        TierRequired: the account keeps its journal off this server.
        RecipientRequired: nothing can be sealed to it.
        InboxFull: too much waits there.
        QuotaExceeded: the account would hold more than it may.
        ItemTooLarge: no entry could hold it.
        pydantic.ValidationError: the content is invalid; the error names no value.
    """
    fields = unpack(content) if isinstance(content, bytes) else dict(content)
    item = InboxContent.model_validate({**fields, "provider": provider, "external_id": external_id})
    # What most items have none of takes no bytes in them.
    plain = pack(item.model_dump(exclude_none=True, exclude=None if item.attachments else {"attachments"}))
    # More could never be accepted as an entry.
    most_bytes = limits.record_bytes - (MAX_PAYLOAD_BYTES - MAX_CONTENT_BYTES)
    if len(plain) > most_bytes:
        raise ItemTooLarge(limit_bytes=most_bytes)
    # Locked, so that a tier that is being lowered does not find a new item after its deletion.
    account = await accounts.lock(tx.session, user_id)
    if account.privacy_tier != "full_sync":
        raise TierRequired(required="full_sync")
    if account.recipient is None:
        raise RecipientRequired
    repository = InboxRepository(tx.session, user_id)
    item_id = _item_id(server_keys, user_id, provider, external_id)
    if await repository.has(item_id):
        return item_id
    limit = limits.inbox_items
    if await repository.count() >= limit:
        raise InboxFull(limit=limit)
    sealed = await asyncio.to_thread(identity.seal_to, account.recipient, plain)
    await usage.hold(tx.connection, user_id)
    if quota is not None:
        await quota.require(tx.connection, user_id, len(sealed))
    await repository.add(item_id, provider, sealed, media=media, now=clock())
    tx.wake(user_id)
    return item_id


async def list_all(session: AsyncSession, user_id: UUID, paging: Paging, *, sealed: bool) -> Inbox:
    """Return a page of what waits, in the order in which it is sorted by id, with fewer items where they are large.

    Arguments:
        sealed: whether the items themselves are wanted, beside their names.

    Raises:
        InvalidCursor: the cursor is not of this account's inbox.
    """
    window = paging.window("inbox", user_id, UUID)
    page = await InboxRepository(session, user_id).page(window, most_bytes=MAX_BATCH_BYTES, sealed=sealed)
    return Inbox(
        items=tuple(
            InboxItem(id=item.item_id, provider=item.provider, received_at=item.received_at, sealed=item.sealed)
            for item in page.items
        ),
        **window.answer(page),
    )


async def acknowledge(
    tx: Transaction, removals: Removals, user_id: UUID, item_id: UUID, *, refused: bool = False
) -> None:
    """Delete an item that a device has accepted or refused; with a refused one go the files that came with it.

    Raises:
        ItemNotFound: it is not there, or no longer.
    """
    media = await InboxRepository(tx.session, user_id).remove(item_id)
    if media is None:
        raise ItemNotFound
    if refused and media:
        await media_files.drop(tx, removals, user_id, media)
    tx.wake(user_id)


async def _delete(tx: Transaction, user_id: UUID) -> int:
    return await InboxRepository(tx.session, user_id).remove_all()


HOLDING = Holding("full_sync", _delete, usage=USAGE)


def _item_id(server_keys: ServerKeys, user_id: UUID, provider: str, external_id: str) -> UUID:
    """A UUIDv8 that is the same for the same thing, and that tells nobody without the server's key what it is."""
    parts = (user_id.bytes, provider.encode(), external_id.encode())
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    digest = bytearray(hmac.digest(server_keys.signing("inbox"), message, "sha256")[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))
