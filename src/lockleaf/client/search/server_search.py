"""Finding entries at the server: its index of the account's words, searching by it, and listing by date."""

from __future__ import annotations

import asyncio
from datetime import date

from lockleaf.client.device.device import Device
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.search.indexer import Indexer
from lockleaf.client.search.listing import EntriesPage, fetch_entries
from lockleaf.client.search.remote_search import search
from lockleaf.client.search.results import Found
from lockleaf.client.search.selection import Selection
from lockleaf.wire.search import SearchIndex

__all__ = ["ServerSearch"]


class ServerSearch:
    """What one profile may ask a server to find. `Journal.search` and `Journal.list` need none of it.

    The server's index holds, for each entry, the set of keyed digests of its words, without order or counts. Whoever
    reads the server's database sees from it how many different words an entry has, which entries share a word, and how
    many have it, and can guess common words from that. For an end-to-end encrypted account there is none until it is
    switched on.

    Args:
        device: whose it is.
    """

    def __init__(self, device: Device) -> None:
        self._device = device

    async def find(self, query: str, *, limit: int | None = None) -> Found:
        """Search at the server, for a device that has not fetched everything. Nothing that comes back is verified.

        With uce the words of the query go to the server, which opens entries to answer. With e2e keyed digests of them
        go there; it sees which entries hold them, and everything else is decided here.

        Args:
            query: as for `Journal.search`.
            limit: at most so many.

        Raises:
            NotLoggedIn: there is no session.
            SearchOff: the server keeps no index of this account.
            InvalidSearch, QueryTooLong: the query is longer, or nested deeper, than queries may be.
            TierRequired: the server holds no entries of this account.
            SealBroken: an entry is not what a device of the account sealed.
            TransportError, ApiError: each as its name says.
        """
        return await search(self._device.session, query, limit)

    async def entries_page(
        self,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        tag: str | None = None,
        mood: str | None = None,
        source: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> EntriesPage:
        """Ask the server for entries, newest first by the date that it knows, instead of this device's own.

        For a device that has not fetched everything. The server does not learn what an end-to-end encrypted account
        filters by; what it answers is opened here, and is not verified as a sync verifies: it can leave entries out.

        Args:
            since, until: days, both inclusive. They are sorted out on this device, so a page can hold few of them.
            tag, mood, source: only entries that have it; case does not matter.
            cursor: where the page before ended.
            limit: at most so many, up to 500.

        Raises:
            NotLoggedIn: there is no session.
            TierRequired: the server holds no entries for this account.
            SealBroken: an entry is not what a device of the account sealed.
        """
        wanted = Selection.of(since=since, until=until, tag=tag, mood=mood, source=source)
        return await fetch_entries(self._device.session, wanted, cursor=cursor, limit=limit)

    async def status(self) -> SearchIndex:
        """Return whether the server keeps an index, what is in it, and what that reveals.

        Raises:
            NotLoggedIn: there is no session.
            TierRequired: the server holds no entries of this account.
        """
        return await self._indexing().status()

    async def switch_on(self, progress: ProgressCallback | None = None) -> SearchIndex:
        """Have the server keep an index, and bring it every entry; return how it stands.

        It may be killed at any point: switched on again it goes on where it was. From then on each sync of this device
        keeps it up. With e2e other devices of the account do so too once it is switched on there: nothing that a server
        says makes one of them give away digests.

        Args:
            progress: told of the stage ``index``, in entries.

        Raises:
            NotLoggedIn: there is no session.
            TierRequired: the server holds no entries of this account.
        """
        indexing = self._indexing()
        await indexing.switch(enabled=True)
        return await indexing.build(progress)

    async def keeps_up(self) -> bool:
        """Tell whether syncs of this device keep the server's index up; with uce they always do, where there is one.

        Raises:
            NotLoggedIn: there is no session.
        """
        return await asyncio.to_thread(self._indexing().keeps_up)

    async def switch_off(self) -> SearchIndex:
        """Have the server delete its index at once, and make none from now on.

        Raises:
            NotLoggedIn: there is no session.
            TierRequired: the server holds no entries of this account.
        """
        return await self._indexing().switch(enabled=False)

    async def rebuild(self, progress: ProgressCallback | None = None) -> SearchIndex:
        """Have the server's index made anew, such as after the account's language was changed; else as `switch_on`.

        Args:
            progress: as for `switch_on`.

        Raises:
            NotLoggedIn: there is no session.
            SearchOff: there is no index.
        """
        return await self._indexing().build(progress, anew=True)

    def _indexing(self) -> Indexer:
        session = self._device.session
        return Indexer(session.store, session.transport, blind=not session.profile.opened_by_server)
