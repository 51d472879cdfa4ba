"""The server's inbox and this device's, brought together after each sync."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from lockleaf.client.errors import InsufficientScope, InvalidAnswer, NotFound, RouteNotFound
from lockleaf.client.store import LocalStore
from lockleaf.client.store.inbox_items import StoredInboxItem
from lockleaf.client.store.records import ENTRIES
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.lists import fetch_list
from lockleaf.wire.inbox import Inbox, InboxItem

__all__ = ["InboxSync"]


class InboxSync:
    """Carries out decisions, fetches what is new, and forgets what another device took."""

    def __init__(self, store: LocalStore, transport: Transport) -> None:
        self._store = store
        self._transport = transport

    async def settle(self) -> None:
        """Bring both sides together. A session that may not read entries, or an older server, has no inbox.

        Raises:
            InvalidAnswer: the list has no end, or an item no content.
        """
        with suppress(InsufficientScope, RouteNotFound):
            await self._acknowledge()
            listed = await self._listed(sealed=False)
            known = await asyncio.to_thread(self._keep_only, {str(item.id) for item in listed})
            if any(str(item.id) not in known for item in listed):
                fetched = await self._listed(sealed=True)
                await asyncio.to_thread(self._take_over, fetched)

    async def _acknowledge(self) -> None:
        for item_id, refused in await asyncio.to_thread(self._decided):
            with suppress(NotFound):  # another device did, or an answer was lost
                await self._transport.command("DELETE", f"/inbox/{item_id}{'?refused=true' if refused else ''}")
            await asyncio.to_thread(self._store.inbox.remove, (item_id,))

    def _decided(self) -> list[tuple[str, bool]]:
        """The items that the server may forget, and whether each was refused: the others' entries it has confirmed."""
        items = self._store.inbox.in_state("accepted", "refused")
        entries = self._store.records.get_many(
            (ENTRIES, item.record_id) for item in items if item.record_id is not None
        )
        confirmed = {record_id for (_, record_id), record in entries.items() if record.base_revision > 0}
        return [
            (item.item_id, item.state == "refused")
            for item in items
            if item.state == "refused" or item.record_id in confirmed
        ]

    async def _listed(self, *, sealed: bool) -> list[InboxItem]:
        found = await fetch_list(self._transport, "/inbox", Inbox, {"sealed": sealed})
        return list({str(item.id): item for item in found}.values())

    def _keep_only(self, listed: set[str]) -> set[str]:
        with self._store.transaction():
            self._store.inbox.keep_only(listed)
            return self._store.inbox.ids()

    def _take_over(self, fetched: list[InboxItem]) -> None:
        items = []
        for item in fetched:
            if item.sealed is None:
                raise InvalidAnswer
            received_at = item.received_at.isoformat().replace("+00:00", "Z")
            items.append(StoredInboxItem(str(item.id), item.provider, received_at, item.sealed))
        self._store.inbox.add(items)
