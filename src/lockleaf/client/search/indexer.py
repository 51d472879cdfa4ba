"""Keeping the server's index: changes carry the digests of their words, and what it lacks is brought to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lockleaf.client.errors import ApiError, SearchLanguageDiffers, TransportError
from lockleaf.client.records.preferences import locale_of
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.search.index_state import SearchState
from lockleaf.client.search.word_digests import tokens_of
from lockleaf.client.store import LocalStore
from lockleaf.client.store.outbox import Outgoing
from lockleaf.client.store.records import ENTRIES, StoredRecord
from lockleaf.client.transport.batch_size import TOO_LARGE
from lockleaf.client.transport.http import Transport
from lockleaf.search.languages import LANGUAGES, Language, language_of
from lockleaf.wire.search import (
    BlindDocument,
    BlindIndexSlice,
    IndexBuild,
    IndexSlice,
    IndexSwitch,
    SearchIndex,
    WantedDocument,
)

__all__ = ["Indexer"]

_PATH = "/search/index"
_PORTION_BYTES = 4 * 1024 * 1024
_TOKEN_BYTES = 16
"""What a digest takes on the wire, in base64."""
_SLICES = 10_000
"""More than any honest server needs."""


@dataclass(slots=True)
class _Portion:
    documents: list[BlindDocument]
    size: int = 0


class Indexer:
    """What one device does for its account's index at the server.

    Digests of an end-to-end encrypted account leave only a device whose user switched the index on: that the server
    says that there is one is not enough. Other devices leave it to that one to bring what they wrote.

    Args:
        blind: whether the server cannot make the index by itself (e2e).
    """

    def __init__(self, store: LocalStore, transport: Transport, *, blind: bool) -> None:
        self._store = store
        self._transport = transport
        self._blind = blind
        self._language: Language | None = None
        self._lacks = False
        self._foreign = False

    # ---- along with a sync ----

    async def look(self) -> None:
        """Ask the server whether it keeps an index, and of which language; what it says is remembered.

        One that cannot say is taken to keep none.
        """
        try:
            index = await self.status()
        except ApiError:
            await asyncio.to_thread(self._remember, None)
            return
        except TransportError:
            return  # whatever comes next says so
        self._lacks = self._language is not None and (index.pending > 0 or index.stale)

    async def status(self) -> SearchIndex:
        """Return how the server's index stands, and remember it."""
        index = await self._transport.request("GET", "/search/stats", answer=SearchIndex)
        await asyncio.to_thread(self._remember, index)
        return index

    def tokens(self, change: Outgoing) -> tuple[bytes, ...] | None:
        """Return the digests that go with a change, None where none do."""
        if self._language is None or change.collection != ENTRIES or change.kind != "edit" or change.content is None:
            return None
        return tokens_of(self._store.keyring.index_key, self._language, change.content)

    async def settle(self, progress: ProgressCallback | None = None) -> None:
        """Bring the index what it lacks, such as entries of a device that does not know of it. What fails can wait."""
        if self._lacks:
            try:
                await self.build(progress)
            except (ApiError, TransportError):
                return

    # ---- by its user's wish ----

    async def switch(self, *, enabled: bool) -> SearchIndex:
        """Have the server keep an index, still to be built, or delete it at once."""
        await asyncio.to_thread(self._want, enabled)
        index = await self._transport.request("PUT", _PATH, body=IndexSwitch(enabled=enabled), answer=SearchIndex)
        await asyncio.to_thread(self._remember, index)
        return index

    def keeps_up(self) -> bool:
        """Tell whether this device brings the index what it writes."""
        return not self._blind or SearchState.load(self._store).wanted

    async def build(self, progress: ProgressCallback | None = None, *, anew: bool = False) -> SearchIndex:
        """Have the index take in every entry that it lacks; it may be killed at any point, and goes on when run again.

        With e2e an entry whose present revision this device does not have is left to another one.

        Raises:
            SearchOff: there is no index.
            SearchLanguageDiffers: with e2e, it is in another language than its user chose.
        """
        if anew:
            await asyncio.to_thread(self._want, True)
        body = BlindIndexSlice(restart=anew) if self._blind else IndexSlice(restart=anew)
        answer = await self._slice(body, progress)
        self.require_own_language()
        for _ in range(_SLICES):
            if answer.job.state == "succeeded" or answer.index.pending == 0:
                break
            if not self._blind:
                answer = await self._slice(IndexSlice(), progress)
                continue
            portions = list(reversed(await asyncio.to_thread(self._portions, answer.wanted)))
            stored = 0
            while portions:
                documents = portions.pop()
                try:
                    answer = await self._slice(BlindIndexSlice(documents=documents), progress)
                except TOO_LARGE:
                    if len(documents) == 1:
                        continue  # the server's search does not find it; that of each device does
                    middle = len(documents) // 2
                    portions += [documents[middle:], documents[:middle]]
                    continue
                stored += answer.stored
            if not stored:
                break  # what it lacks, this device lacks too
        self._lacks = False
        return answer.index

    async def _slice(self, body: IndexSlice, progress: ProgressCallback | None) -> IndexBuild:
        answer = await self._transport.request("POST", _PATH, body=body, answer=IndexBuild)
        await asyncio.to_thread(self._remember, answer.index)
        if progress is not None:
            done = answer.index.documents
            progress(Progress("index", done, done + answer.index.pending))
        return answer

    def _portions(self, wanted: Sequence[WantedDocument]) -> list[tuple[BlindDocument, ...]]:
        """Return those of the wanted entries that are here, in portions that the server takes at once."""
        language = self._language
        if language is None:
            return []
        found = self._store.records.get_many((ENTRIES, str(each.record_id)) for each in wanted)
        portions = [_Portion([])]
        for each in wanted:
            record = found.get((ENTRIES, str(each.record_id)))
            content = None if record is None else _content_at(record, each.revision)
            if content is None:
                continue
            tokens = tokens_of(self._store.keyring.index_key, language, content)
            size = len(tokens) * _TOKEN_BYTES
            if portions[-1].size + size > _PORTION_BYTES:
                portions.append(_Portion([]))
            portions[-1].documents.append(
                BlindDocument(record_id=str(each.record_id), revision=each.revision, tokens=tokens)
            )
            portions[-1].size += size
        return [tuple(portion.documents) for portion in portions if portion.documents]

    def _want(self, wanted: bool) -> None:
        with self._store.transaction():
            replace(SearchState.load(self._store), wanted=wanted).save(self._store)

    def _remember(self, index: SearchIndex | None) -> None:
        on = index is not None and index.enabled and index.language in LANGUAGES
        with self._store.transaction():
            state = replace(SearchState.load(self._store), indexed_in=index.language if index and on else None)
            state.save(self._store)
        own = language_of(locale_of(self._store))
        language = state.token_language
        self._foreign = self._blind and language is not None and language is not own
        # One that is not its user's choice would have words cut as the server likes, and tell it what comes of that.
        self._language = None if self._foreign or (self._blind and not state.wanted) else language

    def require_own_language(self) -> None:
        """Make sure that the server's index is in the language that the account's user chose, as far as was seen.

        Raises:
            SearchLanguageDiffers: it is in another one, and nothing may be said to it.
        """
        if self._foreign:
            raise SearchLanguageDiffers


def _content_at(record: StoredRecord, revision: int) -> dict[str, Any] | None:
    """What an entry said in a revision, if that is the one that the server has and this device knows."""
    if record.base_revision != revision:
        return None
    if record.pending:
        return None if record.base_deleted else record.base
    return None if record.deleted or record.doc is None else record.doc.content
