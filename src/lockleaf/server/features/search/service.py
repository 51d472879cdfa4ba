"""The rules of an account's search index: switching it on and off, what it holds, what it reveals."""

from __future__ import annotations

from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.features.search.index_state import IndexState, index_state
from lockleaf.server.features.search.repository import SearchRepository
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database, driver
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding, Usage
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.server.records import service as records
from lockleaf.wire.search import SearchIndex

__all__ = ["HOLDING", "KIND", "USAGE", "is_on", "shown", "stats", "switch"]

KIND = "search.index"
"""The kind of the job that builds an index."""

REVEALS = (
    "For each entry the index holds a set of keyed digests of its words, without their order and without counts."
    " Whoever reads the server's database can see from it how many different words an entry has, which entries share a"
    " word, and how many entries a word is in, and can guess common words from that. They cannot read or test a word"
    " without the account's key. Switched off, the index is deleted at once."
)
REVEALS_BLIND = (
    " While it is on, the server also sees of each search for which of these digests it is, and which entries it finds."
)
REVEALS_NOTHING = "The server holds no index of this account's words."


async def is_on(connection: asyncpg.Connection, user_id: UUID, custody: str) -> bool:
    """Tell whether the server keeps an index of the account's words."""
    return (await index_state(SearchRepository(connection, user_id), custody)).enabled


async def stats(database: Database, principal: Principal) -> SearchIndex:
    """Return how the account's index stands."""
    async with database.snapshot() as connection:
        repository = SearchRepository(connection, principal.user_id)
        return await shown(repository, await index_state(repository, principal.custody), principal.custody)


async def shown(repository: SearchRepository, index: IndexState, custody: str) -> SearchIndex:
    """Return how an index stands, as it travels."""
    counted = await repository.count()
    reveals = REVEALS + (REVEALS_BLIND if custody == "e2e" else "") if index.enabled else REVEALS_NOTHING
    pending = counted.entries - counted.documents if index.enabled else 0
    return SearchIndex(
        enabled=index.enabled,
        complete=index.enabled and pending == 0,
        language=index.language.name,
        stale=index.enabled and index.stale,
        documents=counted.documents,
        tokens=counted.tokens,
        pending=pending,
        built_at=index.built_at,
        reveals=reveals,
    )


async def switch(session: AsyncSession, clock: Clock, principal: Principal, *, enabled: bool) -> SearchIndex:
    """Switch the index on, to be built, or off, which deletes it within this transaction.

    Raises:
        TierRequired: the account's tier holds no records.
    """
    connection = await driver(session)
    await records.lock(connection, principal.user_id)
    repository = SearchRepository(connection, principal.user_id)
    before = await index_state(repository, principal.custody)
    if enabled != before.enabled:
        now = clock()
        if not enabled:
            await repository.clear()
            await jobs.cancel(session, principal.user_id, KIND)
        counted = await repository.count()
        complete = enabled and counted.entries == 0
        await repository.put(
            enabled=enabled, language=before.wanted.name, complete=complete, built_at=None, job_id=None, now=now
        )
    return await shown(repository, await index_state(repository, principal.custody), principal.custody)


async def _delete(tx: Transaction, user_id: UUID) -> int:
    repository = SearchRepository(tx.connection, user_id)
    deleted = await repository.clear()
    await repository.forget()
    return deleted


USAGE = Usage(
    "index_bytes", "SELECT user_id, sum(8 * cardinality(tokens)) AS bytes FROM search_documents GROUP BY user_id"
)
HOLDING = Holding("full_sync", _delete, usage=USAGE)
"""Records go before it, behind the lock of the history: nobody who writes them can index one meanwhile."""
