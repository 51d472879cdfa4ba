"""Searching an end-to-end encrypted account by digests: the server tells which entries hold them, and no more."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import partial
from itertools import compress
from typing import Any

from lockleaf.server.features.content.opaque import as_stored
from lockleaf.server.features.search.candidates import Candidates, leaves
from lockleaf.server.features.search.cursors import BYTES_A_PAGE, Range, window_of
from lockleaf.server.features.search.errors import QueryTooLong
from lockleaf.server.features.search.index_state import require
from lockleaf.server.features.search.plain_search import gather, ordered
from lockleaf.server.features.search.repository import SearchRepository
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.records.diary import CurrentRecord
from lockleaf.wire.search import MAX_DEPTH, MAX_LEAVES, BlindSearch, SearchHit, SearchResult, TokenExpression

__all__ = ["find_blind"]

_FILTER = "filter"


async def find_blind(
    database: Database, cursors: CursorCodec, metrics: Metrics, principal: Principal, body: BlindSearch
) -> SearchResult:
    """Return a page of the entries that fit an expression of digests: those with the rarer ones first, then the latest.

    Raises:
        SearchOff: the account has not switched its index on.
        QueryTooLong: the expression has too many digests, or is nested too deeply.
        InvalidCursor: the cursor is of another query.
    """
    began = time.monotonic()
    dates = Range([body.first], [body.last])
    expression = _nested(body.tokens)
    labels = sorted(body.labels)
    pages = window_of(cursors, principal.user_id, body, "e2e", expression, labels, *dates.clock, *dates.instants)
    start, _ = pages.after or (0, 0)
    async with database.snapshot() as connection:
        repository = SearchRepository(connection, principal.user_id)
        index = await require(repository, principal.custody, counted=True)
        candidates = Candidates()
        chosen: Any = expression
        if labels or dates.timed or _holds_of_nothing(expression):
            # What asks for nothing to be there is asked of what a filter lists; without one, of nothing.
            if not labels and not dates.narrows:
                chosen = {"any": []}
            else:
                candidates.add(_FILTER, await repository.filtered([labels], dates.clock, dates.instants))
                chosen = {"all": [_FILTER, expression]}
        await gather(repository, candidates, {token: [token] for token in leaves(expression) if isinstance(token, int)})
        asked = list(dict.fromkeys(_positive(expression)))
        weights = [_rarity(index.documents, candidates.count(token)) for token in asked]

        found = await ordered(candidates, chosen, asked, partial(_score, weights), dates)
        page = found[start : start + body.limit]
        read, ended = await repository.records([seq for _, _, seq in page], max_bytes=BYTES_A_PAGE)
    following = start + ended
    metrics.searches.labels(principal.custody).inc()
    return SearchResult(
        items=tuple(SearchHit(entry=as_stored(CurrentRecord(record)), score=-page[place][0]) for place, record in read),
        total=len(found),
        total_exact=True,
        next_cursor=pages.cursor((following, 0)) if following < len(found) else None,
        took_ms=round((time.monotonic() - began) * 1000, 1),
        index={"complete": index.complete},
    )


def _nested(expression: TokenExpression) -> dict[str, Any]:
    """Return an expression as plain maps over numbers.

    Raises:
        QueryTooLong: it has too many digests, or is nested too deeply.
    """
    if expression.depth() > MAX_DEPTH or sum(1 for _ in expression.leaves()) > MAX_LEAVES:
        raise QueryTooLong

    def nested(part: bytes | TokenExpression) -> Any:
        if isinstance(part, bytes):
            return int.from_bytes(part, signed=True)
        return {part.operator: [nested(each) for each in part.parts]}

    found: dict[str, Any] = nested(expression)
    return found


def _holds_of_nothing(part: Any) -> bool:
    """Tell whether an entry without a word would fit."""
    if not isinstance(part, dict):
        return False
    [(operator, parts)] = part.items()
    held = map(_holds_of_nothing, parts)
    return all(held) if operator == "all" else any(held) if operator == "any" else not any(held)


def _positive(part: Any, *, negated: bool = False) -> Iterator[int]:
    """Yield the digests that are asked to be there."""
    if not isinstance(part, dict):
        if not negated:
            yield part
        return
    for operator, parts in part.items():
        for each in parts:
            yield from _positive(each, negated=negated != (operator == "none"))


def _rarity(documents: int, held: int) -> float:
    """How much a digest tells: the fewer entries hold it, the more."""
    return math.log(1 + (max(documents - held, 0) + 0.5) / (held + 0.5))


def _score(weights: list[float], held: tuple[int, ...]) -> float:
    return sum(compress(weights, held))
