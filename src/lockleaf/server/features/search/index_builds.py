"""Building an index in slices, each within a request: the server opens entries (uce), or clients bring digests (e2e).

How far it is stands in a job's row, which no worker takes up: nobody but the account's own clients can go on with it. A
slice that is cut short commits nothing, and the next one begins where the last whole one ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.search.languages import Language
from lockleaf.server.features.search.index_state import IndexState, require
from lockleaf.server.features.search.indexer import INDEXING, packed, tokens_of
from lockleaf.server.features.search.repository import Document, SearchRepository, Waiting
from lockleaf.server.features.search.service import KIND, shown
from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.keyrings import ContentUnreadable, OpenKeyring
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import driver
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records import service as records
from lockleaf.server.records.quota import Quota
from lockleaf.wire.search import BlindIndexSlice, IndexBuild, IndexSlice, WantedDocument
from lockleaf.wire.sync import MAX_BATCH_CHANGES

__all__ = ["build", "build_blind"]

BATCH = 100
BATCH_BYTES = 2 * 1024 * 1024
"""Entries that are read at a time: as few as reach one of these."""


async def build(
    session: AsyncSession,
    clock: Clock,
    settings: Settings,
    custodian: Custodian,
    principal: Principal,
    body: IndexSlice,
) -> IndexBuild:
    """Index entries of a uce account for as long as a slice may take, and return how far the whole is.

    Raises:
        SearchOff: the account has no index.
        SessionRevoked: the session's key is gone.
    """
    connection = await driver(session)
    repository = SearchRepository(connection, principal.user_id)
    index = await _begun(session, repository, clock, principal, body)
    # The lock of the history is not held meanwhile: the user may be writing. What has moved on in between is left out,
    # and was indexed by whoever wrote it.
    async with keyrings.opened(clock, custodian, connection, principal, purpose=INDEXING) as keys:
        # Putting words into the index takes about twice as long as taking them from the text.
        seconds = settings.search.slice_seconds / 3
        documents = await _taken(repository, keys, index.language, seconds=seconds)
    return await _stored(session, repository, clock, principal, index, documents)


async def build_blind(
    session: AsyncSession, clock: Clock, quota: Quota, principal: Principal, body: BlindIndexSlice
) -> IndexBuild:
    """Take in the digests that a client of an end-to-end encrypted account made, and return which are wanted next.

    Raises:
        SearchOff: the account has not switched its index on.
        QuotaExceeded: the account would hold more than it may.
    """
    connection = await driver(session)
    repository = SearchRepository(connection, principal.user_id)
    index = await _begun(session, repository, clock, principal, body)
    # Where two are of one entry, one is of another revision than it has: they cannot both be stored.
    brought = {(each.record_id, each.revision): each for each in body.documents}
    documents = [Document(each.record_id, each.revision, packed(each.tokens)) for each in brought.values()]
    answer = await _stored(session, repository, clock, principal, index, documents)
    # A client may bring far more digests than its entries have bytes.
    await quota.require_after(connection, principal.user_id, sum(len(each.tokens) for each in documents))
    waiting = await repository.waiting(limit=MAX_BATCH_CHANGES, max_bytes=None)
    wanted = tuple(WantedDocument(record_id=UUID(each.record_id), revision=each.revision) for each in waiting)
    return answer.model_copy(update={"wanted": wanted})


async def _begun(
    session: AsyncSession, repository: SearchRepository, clock: Clock, principal: Principal, body: IndexSlice
) -> IndexState:
    """Return the index as it is built on from here: emptied, if it is to be built anew, or is of another language."""
    index = await require(repository, principal.custody)
    if not index.stale and not body.restart and index.stored:
        return index
    await records.lock(await driver(session), principal.user_id)
    index = await require(repository, principal.custody)
    if index.stale or body.restart:
        await repository.clear()
        await jobs.cancel(session, principal.user_id, KIND)
    now = clock()
    await repository.put(enabled=True, language=index.wanted.name, complete=False, built_at=None, job_id=None, now=now)
    return await require(repository, principal.custody)


async def _taken(
    repository: SearchRepository, keys: OpenKeyring, language: Language, *, seconds: float
) -> list[Document]:
    """Return the words of entries that wait, of as many as there is time for; of some in any case."""
    until = time.monotonic() + seconds
    documents: list[Document] = []
    after = ""
    while waiting := await repository.waiting(after=after, limit=BATCH, max_bytes=BATCH_BYTES):
        documents += await asyncio.to_thread(_of_entries, keys, language, waiting)
        after = waiting[-1].record_id
        if time.monotonic() >= until:
            break
    return documents


def _of_entries(keys: OpenKeyring, language: Language, waiting: Sequence[Waiting]) -> list[Document]:
    documents = []
    for each in waiting:
        assert each.record is not None, "they were asked for whole"
        try:
            tokens = tokens_of(keys, language, keys.open(each.record))
        except ContentUnreadable:
            tokens = b""  # it has no words, and nobody need look again
        documents.append(Document(each.record_id, each.revision, tokens))
    return documents


async def _stored(
    session: AsyncSession,
    repository: SearchRepository,
    clock: Clock,
    principal: Principal,
    index: IndexState,
    documents: Sequence[Document],
) -> IndexBuild:
    await records.lock(await driver(session), principal.user_id)
    # Asked again behind the lock: what was switched off or begun anew meanwhile has no place for these.
    present = await require(repository, principal.custody)
    stored = 0
    if documents and present.language.name == index.language.name:
        stored = await repository.store(documents)
    counted = await repository.count()
    complete = counted.documents == counted.entries
    now = clock()
    job = await jobs.attend(
        session,
        user_id=principal.user_id,
        kind=KIND,
        done=counted.documents,
        total=counted.entries,
        ended=complete,
        last=present.job_id if complete and present.complete else None,
        now=now,
    )
    built_at = present.built_at if not complete or (present.complete and present.built_at is not None) else now
    await repository.put(
        enabled=True,
        language=present.language.name,
        complete=complete,
        built_at=built_at,
        job_id=job.id,
        now=now,
    )
    return IndexBuild(
        job=job,
        index=await shown(repository, await require(repository, principal.custody), principal.custody),
        stored=stored,
    )
