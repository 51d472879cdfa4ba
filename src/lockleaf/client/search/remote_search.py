"""Searching through the server, for a device that has not fetched everything.

With uce the server gets the words. With e2e it gets keyed digests, tells which entries hold them, and everything else
is decided here, on what those entries say: phrases, what is to be absent, days, order and highlights. Neither is
verified as `Client.sync` verifies: a server can leave entries out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from pydantic import ValidationError

from lockleaf.client.device.open_account import OpenAccount
from lockleaf.client.errors import InvalidAnswer
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.preferences import locale_of
from lockleaf.client.records.resealing import is_sealed_again
from lockleaf.client.records.sealer import Sealer
from lockleaf.client.search.filters import Facts, fits
from lockleaf.client.search.index_ranking import score_of
from lockleaf.client.search.indexer import Indexer
from lockleaf.client.search.listing import fetch_entries, labels_are_asked_for, opened_entry, plain_entry
from lockleaf.client.search.local_search import planned
from lockleaf.client.search.query_text import written
from lockleaf.client.search.results import Found, Highlight, Hit
from lockleaf.client.search.selection import Selection
from lockleaf.client.search.word_digests import token_of
from lockleaf.crypto.keyring import KeyEntry
from lockleaf.crypto.labels import label
from lockleaf.search.highlights import highlights
from lockleaf.search.languages import LANGUAGES, SIMPLE, language, language_of
from lockleaf.search.matching import match
from lockleaf.search.plan import Plan
from lockleaf.search.query import Query
from lockleaf.search.ranking import fine
from lockleaf.wire.days import bound
from lockleaf.wire.entries import PlainEntry, SealedEntry
from lockleaf.wire.opaque_entries import OpaqueEntry
from lockleaf.wire.search import BlindSearch, PlainSearch, SearchHit, SearchResult, TokenExpression

__all__ = ["search"]

_PAGE = 100
_MOST_LABELS = 64
_PAGES = 10_000
"""More than any honest server has."""


async def search(opened: OpenAccount, text: str, limit: int | None) -> Found:
    """Return what a query finds at the server; see `ServerSearch.find`."""
    if opened.profile.opened_by_server:
        return await _in_words(opened, text, limit)
    return await _blind(opened, text, limit)


# ---- in words ----


async def _in_words(opened: OpenAccount, text: str, limit: int | None) -> Found:
    # The language does not matter here: the server has its own.
    query = planned(text, language(SIMPLE)).query
    first, last = query.first, query.last
    try:
        body = PlainSearch(
            query=written(query.root),
            mood=query.mood,
            tags=query.tags,
            source=query.source,
            first=_day(first),
            last=_day(last),
            limit=_PAGE if limit is None else min(limit, _PAGE),
        )
    except ValidationError:
        return Found((), 0)  # no entry can have such a mood, tag or source

    def fitting(items: Iterable[SearchHit]) -> list[Hit]:
        hits = []
        for item in items:
            if not isinstance(item.entry, PlainEntry):
                raise InvalidAnswer
            entry = plain_entry(item.entry)
            if not item.entry.unreadable and fits(query, Facts.of(entry)):
                hits.append(Hit(entry, item.score, tuple(_shown(item))))
        return hits

    pages = await _turned(opened, body, limit, fitting)
    return pages.found(pages.last.ignored, decided_here=False)


class _Pages(NamedTuple):
    """What some pages of answers came to."""

    hits: list[Hit]
    left_out: int
    limit: int | None
    last: SearchResult

    def found(self, ignored: tuple[str, ...], *, decided_here: bool) -> Found:
        """Return what was found; ``decided_here`` where the server's own count is only of candidates."""
        whole = self.last.next_cursor is None
        return Found(
            tuple(self.hits[: self.limit]),
            len(self.hits) if whole else max(self.last.total - self.left_out, len(self.hits)),
            ignored,
            exact=whole or (self.last.total_exact and not decided_here),
            complete=self.last.index.complete,
        )


async def _turned(
    opened: OpenAccount,
    body: PlainSearch | BlindSearch,
    limit: int | None,
    fitting: Callable[[Iterable[SearchHit]], list[Hit]],
) -> _Pages:
    """Turn pages until there is no other, or enough is found of what is ``fitting``."""
    hits: list[Hit] = []
    known: set[str] = set()
    left_out = turned = 0
    while True:
        result = await opened.transport.request("POST", "/search", body=body, answer=SearchResult)
        items = _new(result.items, known)
        found = await asyncio.to_thread(fitting, items)
        hits += found
        left_out += len(items) - len(found)
        turned += 1
        if result.next_cursor is None or (limit is not None and len(hits) >= limit) or turned == _PAGES:
            return _Pages(hits, left_out, limit, result)
        body = body.model_copy(update={"cursor": result.next_cursor})


def _new(items: Iterable[SearchHit], known: set[str]) -> list[SearchHit]:
    """Return what was not on a page before: what is written meanwhile moves entries from one to the next."""
    found = []
    for item in items:
        if item.entry.id not in known:
            known.add(item.entry.id)
            found.append(item)
    return found


def _day(text: str | None) -> date | None:
    found = bound(text)
    return found if isinstance(found, date) else None


def _shown(item: SearchHit) -> Iterator[Highlight]:
    for each in item.highlights or ():
        if any(not 0 <= start < end <= len(each.text) for start, end in each.marks):
            raise InvalidAnswer
        yield Highlight(each.field, each.text, each.marks)


# ---- blind ----


async def _blind(opened: OpenAccount, text: str, limit: int | None) -> Found:
    indexing = Indexer(opened.store, opened.transport, blind=True)
    index = await indexing.status()
    if index.language not in LANGUAGES:
        raise InvalidAnswer
    indexing.require_own_language()
    asked = planned(text, language_of(await asyncio.to_thread(locale_of, opened.store)))
    if asked.empty:
        return Found((), 0, asked.ignored)
    if not asked.positive:
        return await _listed(opened, asked, limit)
    labels: dict[bytes, None] = {}
    index_key = opened.keyring.index_key
    expression: Any = asked.tokens(lambda field, stem: token_of(index_key, field, stem))
    filters = _labelled(asked.query)
    by_label = await asyncio.to_thread(labels_are_asked_for, opened.store)
    labels = dict.fromkeys(label(index_key, kind, value.strip()) for kind, value in filters) if by_label else {}
    if not is_sealed_again(opened.store):
        # Some entries still have the tokens of a retired key, each those of one key alone.
        expression = {"any": [expression, *(_under(asked, entry) for entry in opened.keyring.entries[:-1])]}
    if len(labels) > _MOST_LABELS:
        return Found((), 0, asked.ignored)  # no entry has so many
    body = BlindSearch(tokens=_nested(expression), labels=tuple(labels), limit=_PAGE)
    pages = await _turned(opened, body, limit, partial(_matching, opened, asked))
    narrowed_here = asked.needs_text or asked.query.first is not None or asked.query.last is not None
    narrowed_here = narrowed_here or (bool(filters) and not by_label)
    return pages.found(asked.ignored, decided_here=narrowed_here)


def _under(asked: Plan, entry: KeyEntry) -> Any:
    """Return what is asked in the tokens of one key."""
    index_key = entry.index_key
    return asked.tokens(lambda field, stem: token_of(index_key, field, stem))


def _matching(opened: OpenAccount, asked: Plan, items: Iterable[SearchHit]) -> list[Hit]:
    """Return the hits among a page, in their order: the server knows how rare words are, not where they stand."""
    sealer = Sealer(str(opened.profile.user_id))
    hits = []
    for item in items:
        if not isinstance(item.entry, SealedEntry | OpaqueEntry):
            raise InvalidAnswer
        hit = _hit(asked, opened_entry(sealer, opened, item.entry), item.score)
        if hit is not None:
            hits.append(hit)
    return _ordered(hits)


async def _listed(opened: OpenAccount, asked: Plan, limit: int | None) -> Found:
    """Return what filters leave, for a query that asks for nothing that an index knows."""
    query = asked.query
    wanted = Selection(query.first, query.last, next(iter(query.tags), None), query.mood, query.source)
    hits: list[Hit] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await fetch_entries(opened, wanted, cursor=cursor, limit=_PAGE)
        hits += [hit for entry in page.entries if (hit := _hit(asked, entry, 0.0)) is not None]
        cursor = page.next_cursor
        if cursor is None:
            break
    hits = _ordered(hits)
    return Found(tuple(hits[:limit]), len(hits), asked.ignored)


def _hit(asked: Plan, entry: Entry, score: float) -> Hit | None:
    found = match(asked, entry.title, entry.body)
    if found is None or not fits(asked.query, Facts.of(entry)):
        return None
    return Hit(entry, score_of(score, fine(found)), highlights(asked, entry.title, entry.body, found))


def _ordered(hits: Sequence[Hit]) -> list[Hit]:
    by_id = sorted(hits, key=lambda hit: hit.entry.id)
    return sorted(by_id, key=lambda hit: (hit.score, hit.entry.local_time), reverse=True)


def _labelled(query: Query) -> list[tuple[str, str]]:
    given = [("mood", query.mood), ("source", query.source), *(("tag", tag) for tag in query.tags)]
    return [(kind, value) for kind, value in given if value is not None]


def _nested(expression: dict[str, list[Any]]) -> TokenExpression:
    [(operator, parts)] = expression.items()
    nested = tuple(_nested(part) if isinstance(part, dict) else part for part in parts)
    return TokenExpression.model_validate({operator: nested})
