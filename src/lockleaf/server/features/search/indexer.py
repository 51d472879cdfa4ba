"""The index follows every change to an entry within the transaction that writes it.

The writer of records calls it with what became of each change, and so it runs behind the lock of the account's history:
no two write to the index of one account at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.search.languages import Language
from lockleaf.search.terms import stems
from lockleaf.server.features.search.index_state import index_state
from lockleaf.server.features.search.repository import Document, SearchRepository
from lockleaf.server.features.search.several import having_index
from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.keyrings import ContentUnreadable, OpenedContent, OpenKeyring
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.records.writer import Written
from lockleaf.wire.sync import MAX_TOKENS, Change, Record

__all__ = ["COLLECTION", "INDEXING", "Indexer", "packed", "text_of", "tokens_of"]

COLLECTION = "entries"
INDEXING = "search.index"
"""What the history of access says of entries that were opened to index them."""

SMALL_BYTES = 8192
"""So much text is taken apart within the event loop: it costs less than going to a thread."""


MOST_CHARACTERS = 2**20
"""So much of a text is searched: some 180,000 words. Text can be made to take ten seconds for as much as that."""


def text_of(content: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the title and the body of an entry's map, as far as they are searched; what is not text is left out."""
    title, body = content.get("title"), content.get("body")
    return (
        title[:MOST_CHARACTERS] if isinstance(title, str) else None,
        body[:MOST_CHARACTERS] if isinstance(body, str) else "",
    )


def packed(tokens: Sequence[bytes] | set[bytes]) -> bytes:
    """Return digests as the index keeps them: each once, in their order, and no more than an entry may have."""
    return b"".join(sorted(set(tokens))[:MAX_TOKENS])


def tokens_of(keys: OpenKeyring, language: Language, content: Mapping[str, Any]) -> bytes:
    """Return the digests of an entry's words, packed. This only computes: of many entries, in a thread."""
    title, body = text_of(content)
    found = {keys.token("body", stem) for stem in stems(body, language)}
    found.update(keys.token("title", stem) for stem in stems(title or "", language))
    return packed(found)


class Indexer:
    """Brings the index up to what changes have made of their entries: it follows whoever writes records.

    An entry's words come with its change (`Change.tokens`), or are taken from its content where the server may open it.
    Without either it leaves the index until somebody indexes it again: better not found than found by what it no longer
    says.

    Args:
        clock: gives the present time.
        custodian: opens the account's keyring where the writer has not.
    """

    def __init__(self, clock: Clock, custodian: Custodian) -> None:
        self._clock = clock
        self._custodian = custodian

    async def follows(self, connection: asyncpg.Connection, user_ids: Collection[UUID]) -> Collection[UUID]:
        """Return those of the end-to-end encrypted accounts that have an index at this server."""
        return await having_index(connection, user_ids)

    async def __call__(self, told: Written) -> None:
        """Follow what was written.

        Raises:
            SessionRevoked: the session's key is gone.
        """
        assert isinstance(told.author, Principal), "whoever writes entries has said who they are"
        given = told.opened if isinstance(told.opened, OpenedContent) else OpenedContent(None, {})
        await _follow(self._clock, self._custodian, told, told.author, given)


async def _follow(
    clock: Clock, custodian: Custodian, told: Written, principal: Principal, given: OpenedContent
) -> None:
    connection, changes, outcomes = told.tx.connection, told.changes, told.outcomes
    keys, contents = given.keys, given.contents
    written = {
        change.record_id: (change, outcome.revision or 0)
        for change, outcome in zip(changes, outcomes, strict=True)
        if change.collection == COLLECTION and outcome.status == "applied"
    }
    if not written:
        return
    repository = SearchRepository(connection, principal.user_id)
    index = await index_state(repository, principal.custody)
    if not index.enabled:
        return
    present = [each for each in written.values() if not each[0].deleted]
    mute = [each for each in present if each[0].tokens is None]
    documents = [
        Document(change.record_id, revision, packed(change.tokens))
        for change, revision in present
        if change.tokens is not None
    ]
    if mute and principal.session_key is not None:
        if keys is not None:
            documents += await _taken(keys, index.language, mute, contents)
        else:
            async with keyrings.opened(clock, custodian, connection, principal, purpose=INDEXING) as opened:
                documents += await _taken(opened, index.language, mute, contents)
    known = {document.record_id for document in documents}
    if gone := [record_id for record_id in written if record_id not in known]:
        await repository.remove(gone)
    if documents:
        await repository.store(documents)
    if not index.stored:
        await _begin(repository, index.language, clock)
    elif index.complete and len(known) < len(present):
        await repository.incomplete(clock())


async def _begin(repository: SearchRepository, language: Language, clock: Clock) -> None:
    """Write down what was the custody's default until the first entry: by which language the index is made."""
    counted = await repository.count()
    complete = counted.documents == counted.entries
    now = clock()
    await repository.put(
        enabled=True,
        language=language.name,
        complete=complete,
        built_at=now if complete else None,
        job_id=None,
        now=now,
    )


async def _taken(
    keys: OpenKeyring,
    language: Language,
    written: Sequence[tuple[Change, int]],
    contents: Mapping[str, Mapping[str, Any]],
) -> list[Document]:
    def take() -> list[Document]:
        return [
            Document(change.record_id, revision, _tokens(keys, language, change, contents.get(change.record_id)))
            for change, revision in written
        ]

    if sum(len(change.payload) for change, _ in written) <= SMALL_BYTES:
        return take()
    return await asyncio.to_thread(take)


def _tokens(keys: OpenKeyring, language: Language, change: Change, content: Mapping[str, Any] | None) -> bytes:
    try:
        return tokens_of(keys, language, keys.open(_record(change)) if content is None else content)
    except ContentUnreadable:
        return b""  # it has no words, and nobody need look again


def _record(change: Change) -> Record:
    """Return the record that a change makes, as far as its seal is concerned."""
    return Record.model_construct(
        seq=0,
        collection=change.collection,
        record_id=change.record_id,
        revision=change.base_revision + 1,
        parent=change.parent,
        payload=change.payload,
        deleted=change.deleted,
        labels=change.labels,
        source=change.source,
        occurred_at=change.occurred_at,
        device_id=change.device_id,
        client_updated_at=change.client_updated_at,
        created_at=change.client_updated_at,
        updated_at=change.client_updated_at,
    )
