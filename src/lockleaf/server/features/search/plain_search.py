"""Searching a uce account by words: candidates by the index, then as many entries are opened as a page needs.

The words are brought to keyed digests before anything is asked of the database. What is opened is opened in one
snapshot, in the order of what the index alone tells (rare words and titles first, then the latest), window by window:
within a window hits are in the order of how often and how near to each other the words stand in them as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import compress, islice
from typing import Any, NamedTuple

from lockleaf.search.highlights import highlights
from lockleaf.search.matching import Match, match
from lockleaf.search.plan import Plan, plan
from lockleaf.search.query import InvalidQuery, Query, parse
from lockleaf.search.ranking import Corpus, coarse, fine
from lockleaf.server.features.content import plain
from lockleaf.server.features.search.candidates import Candidate, Candidates, leaves
from lockleaf.server.features.search.cursors import BYTES_A_PAGE, Range, window_of
from lockleaf.server.features.search.errors import QueryTooLong
from lockleaf.server.features.search.index_state import require
from lockleaf.server.features.search.indexer import text_of
from lockleaf.server.features.search.repository import LISTS_AT_ONCE, SearchRepository
from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.keyrings import ContentUnreadable, OpenKeyring
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.days import bound
from lockleaf.wire.search import Highlight, PlainSearch, SearchHit, SearchResult
from lockleaf.wire.sync import Record

__all__ = ["SEARCHING", "find", "gather", "ordered"]

SEARCHING = "search"
"""What the history of access says of entries that were opened to search in them."""

WINDOW = 100
WINDOW_BYTES = 256 * 1024
"""Entries that are opened and put into their order together: as few as reach one of these. Both take some 30 ms."""

_FILTER = "filter"
_FEW_BYTES = 65536
"""Lists up to this long are taken apart within the event loop, where it takes a millisecond."""
_FEW = 4000
"""So many candidates are put into their order there."""


class _Asked(NamedTuple):
    query: Query
    labels: list[tuple[str, str]]
    dates: Range


class _Hit(NamedTuple):
    """A hit, as far as ``record_id`` in the order of hits: the smallest comes first."""

    below: float
    finely_below: float
    before: int
    record_id: str
    record: Record
    content: dict[str, Any] | None = None
    match: Match | None = None


def _asked(body: PlainSearch) -> _Asked:
    """Return a query with all that narrows it, whether it stands in its text or beside it.

    Raises:
        QueryTooLong: as `parse` says.
    """
    try:
        query = parse(body.query)
    except InvalidQuery:
        raise QueryTooLong from None
    values = [("mood", query.mood), ("mood", body.mood), ("source", query.source), ("source", body.source)]
    values += [("tag", tag) for tag in (*query.tags, *body.tags)]
    first: Any = bound(query.first)
    last: Any = bound(query.last)
    return _Asked(
        query,
        [(kind, value.strip()) for kind, value in values if value is not None],
        Range([body.first, first], [body.last, last]),
    )


async def gather(repository: SearchRepository, candidates: Candidates, tokens: dict[Any, list[int]]) -> None:
    """Let each key of ``tokens`` stand for the entries that hold one of its digests; none holds two of them."""
    wanted = list(tokens.items())
    at_once = max(1, LISTS_AT_ONCE // max((len(digests) for _, digests in wanted), default=1))
    for first in range(0, len(wanted), at_once):
        batch = wanted[first : first + at_once]
        found = iter(await repository.lists([digest for _, digests in batch for digest in digests]))
        lists = [(key, b"".join(islice(found, len(digests)))) for key, digests in batch]
        longest_first = sorted(lists, key=lambda each: -len(each[1]))

        def add(named: Sequence[tuple[Any, bytes]] = longest_first) -> None:
            for key, packed in named:
                candidates.add(key, packed)

        if sum(len(packed) for _, packed in lists) <= _FEW_BYTES:
            add()
        else:
            await asyncio.to_thread(add)


async def ordered(
    candidates: Candidates,
    expression: Any,
    keys: Sequence[Any],
    score: Callable[[tuple[int, ...]], float],
    dates: Range,
) -> list[Candidate]:
    """Return the candidates that fit an expression and a range of dates, in their order; see `Candidates.ordered`."""

    def order() -> list[Candidate]:
        candidates.choose(expression)
        return candidates.ordered(keys, score, dates.as_counted)

    return order() if len(candidates) <= _FEW else await asyncio.to_thread(order)


async def find(
    clock: Clock,
    database: Database,
    cursors: CursorCodec,
    settings: Settings,
    metrics: Metrics,
    custodian: Custodian,
    principal: Principal,
    body: PlainSearch,
) -> SearchResult:
    """Return a page of the entries that a query in words finds, best first.

    Raises:
        SearchOff: the account has no index.
        QueryTooLong: as `parse` says.
        InvalidCursor: the cursor is of another query.
        SessionRevoked: the session's key is gone.
    """
    began = time.monotonic()
    asked = _asked(body)
    pages = window_of(
        cursors,
        principal.user_id,
        body,
        "uce",
        body.query,
        sorted(asked.labels),
        *asked.dates.clock,
        *asked.dates.instants,
    )
    start, offset = pages.after or (0, 0)
    # What is read belongs to one snapshot, which cannot be written in; that keys were used is written beside it, and
    # committed before anything is answered.
    async with (
        database.snapshot() as connection,
        database.transaction() as tx,
        keyrings.opened(clock, custodian, tx.connection, principal, purpose=SEARCHING) as keys,
    ):
        repository = SearchRepository(connection, principal.user_id)
        index = await require(repository, principal.custody, counted=True)
        planned = plan(asked.query, index.language)
        found = await _candidates(repository, keys, asked, planned, documents=index.documents)
        items: list[SearchHit] = []
        opened = 0
        most = settings.search.opened_per_request
        until = began + settings.search.page_seconds
        bytes_left = BYTES_A_PAGE
        while start < len(found) and len(items) < body.limit and bytes_left > 0:
            window = found[start : start + min(WINDOW, most)]
            # Texts can be made to be slow: what is opened then is as much as there is time for.
            if opened and (opened + len(window) > most or time.monotonic() >= until):
                break
            read, ended = await repository.records([seq for _, _, seq in window], max_bytes=WINDOW_BYTES)
            opened += len(read)
            bytes_left -= sum(len(record.payload) for _, record in read)
            entries = [(window[place], record) for place, record in read]
            hits, in_window = await asyncio.to_thread(
                _looked_into, keys, planned, entries, offset, body.limit - len(items)
            )
            items += hits
            if offset + len(hits) < in_window:
                offset += len(hits)
            else:
                start, offset = start + ended, 0
    metrics.searches.labels(principal.custody).inc()
    metrics.search_opened.inc(opened)
    return SearchResult(
        items=tuple(items),
        total=len(found),
        total_exact=not planned.needs_text,
        next_cursor=pages.cursor((start, offset)) if start < len(found) else None,
        took_ms=round((time.monotonic() - began) * 1000, 1),
        ignored=planned.ignored,
        index={"complete": index.complete},
    )


async def _candidates(
    repository: SearchRepository, keys: OpenKeyring, asked: _Asked, planned: Plan, *, documents: int
) -> list[Candidate]:
    """Return what the index alone can tell: which entries there are to look into, in which order."""
    if not planned.positive and not asked.labels and not asked.dates.narrows:
        return []
    condition = planned.condition(lambda field, stem: (field, stem))
    scored = [(field, stem) for stem in planned.stems for field in ("title", "body")]
    wanted: dict[Any, None] = dict.fromkeys([*(leaves(condition) if condition is not None else ()), *scored])
    tokens = {key: [int.from_bytes(token, signed=True) for token in keys.tokens(*key)] for key in wanted}
    candidates = Candidates()
    await gather(repository, candidates, tokens)
    expression: Any = condition
    if asked.labels or asked.dates.timed or not planned.positive:
        labels = keys.labels(asked.labels)
        candidates.add(_FILTER, await repository.filtered(labels, asked.dates.clock, asked.dates.instants))
        expression = {"all": [_FILTER, *([] if condition is None else [condition])]}
    frequency = {stem: candidates.count(("title", stem), ("body", stem)) for stem in planned.stems}
    corpus = Corpus(documents, frequency)

    def score(held: tuple[int, ...]) -> float:
        titles, bodies = (list(compress(planned.stems, of_field)) for of_field in (held[::2], held[1::2]))
        return coarse(planned, titles, bodies, corpus)

    return await ordered(candidates, expression, scored, score, asked.dates)


def _looked_into(
    keys: OpenKeyring, planned: Plan, entries: Sequence[tuple[Candidate, Record]], offset: int, limit: int
) -> tuple[list[SearchHit], int]:
    """Open a window; return its hits behind ``offset``, at most ``limit``, and how many it has in all."""
    hits = [hit for each in entries if (hit := _hit(keys, planned, *each)) is not None]
    hits.sort(key=lambda hit: hit[:4])
    return [_shown(planned, hit) for hit in hits[offset : offset + limit]], len(hits)


def _hit(keys: OpenKeyring, planned: Plan, candidate: Candidate, record: Record) -> _Hit | None:
    below, before, _ = candidate
    try:
        opened = keys.open(record)
    except ContentUnreadable:
        # Of what is closed nobody can say that it has a word; that it has a label or a date, one can.
        return _Hit(below, 0.0, before, record.record_id, record) if planned.root is None else None
    found = match(planned, *text_of(opened))
    return None if found is None else _Hit(below, -fine(found), before, record.record_id, record, opened, found)


def _shown(planned: Plan, hit: _Hit) -> SearchHit:
    marked: tuple[Highlight, ...] = ()
    if hit.content is not None and hit.match is not None and planned.root is not None:
        marked = tuple(
            Highlight(field=each.field, text=each.text, marks=each.marks)
            for each in highlights(planned, *text_of(hit.content), hit.match)
        )
    return SearchHit(
        entry=plain.entry(hit.record, hit.content or {}, unreadable=hit.content is None),
        # Whole millionths come from the index, what is behind them from the text.
        score=round(-hit.below - hit.finely_below / 1_000_000, 12),
        highlights=marked,
    )
