"""Sums of packed months. What is in their slots, and how many values, only the client can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

import asyncpg

from lockleaf.he.params import PARAMETER_SETS
from lockleaf.server.features.analytics.errors import NoMetrics
from lockleaf.server.features.analytics.evaluators import Evaluators, Form
from lockleaf.server.features.analytics.paging import ResultRange
from lockleaf.server.features.analytics.periods import bucket_end, bucket_start, cut_months, instant
from lockleaf.server.features.analytics.ranges import PackReader
from lockleaf.server.features.analytics.totals import Total, added
from lockleaf.wire.analytics import Aggregate, Aggregation, BucketResult, PackedResult

__all__ = ["aggregate_packed"]

_OPERATION = "packed_sum"


async def aggregate_packed(
    evaluators: Evaluators,
    connection: asyncpg.Connection,
    user_id: UUID,
    body: Aggregation,
    page: ResultRange,
    *,
    raw: bool,
) -> Aggregate:
    """Return the sum of the accumulators of whole months, or of each month or year of them.

    Months that the range cuts are given apart, each as it is: the client picks the days out of their slots.

    Args:
        raw: whether the client reads SEAL's own ciphertexts, and no message of TenSEAL's around them.

    Raises:
        NoMetrics: there is no accumulator in the range.
        TooManyValues: more deltas would be added up than come out right.
        EvaluationUnavailable: the server cannot compute now.
    """
    assert body.layout is not None
    reader = PackReader(connection, user_id, body.layout, body.parameter_set)
    return await _Packed(evaluators, reader, body, page, raw=raw).answer()


class _Packed:
    def __init__(
        self, evaluators: Evaluators, reader: PackReader, body: Aggregation, page: ResultRange, *, raw: bool
    ) -> None:
        self._evaluators = evaluators
        self._reader = reader
        self._body = body
        self._page = page
        self._most = PARAMETER_SETS[body.parameter_set].most_additions
        self._form = Form("", raw)

    async def answer(self) -> Aggregate:
        version = await self._reader.seal_version()
        if version is None:
            raise NoMetrics
        self._form = replace(self._form, version=self._body.seal_version or version)
        (first, last), cut = cut_months(self._page.start, self._page.end)
        partial = None if self._body.cursor is not None else await self._partial(cut)
        answer = Aggregate(
            layout=self._body.layout,
            operation="sum",
            parameter_set=self._body.parameter_set,
            partial=partial or None,
        )
        if self._body.bucket is not None:
            return await self._buckets(answer, first, last)
        total = await self._total(first, last)
        if not total.count and not partial:
            raise NoMetrics
        if not total.count:
            return answer
        return answer.model_copy(update={"count": total.count, "encrypted_result": await self._finished(total)})

    async def _partial(self, months: tuple[date, ...]) -> tuple[PackedResult, ...]:
        found = []
        for month, term in await self._reader.cut(months):
            data = await self._finished(Total([term.ciphertext], term.count))
            found.append(PackedResult(start=instant(month), count=term.count, encrypted_result=data))
        return tuple(found)

    async def _total(self, first: date, last: date) -> Total:
        return await added(self._evaluators, _OPERATION, self._reader.terms(first, last), most=self._most)

    async def _finished(self, total: Total) -> bytes:
        return await total.finish(self._evaluators, _OPERATION, form=self._form)

    async def _buckets(self, answer: Aggregate, first: date, last: date) -> Aggregate:
        bucket, limit = self._body.bucket, self._page.limit
        assert bucket is not None
        begin = first if self._page.place is None else max(first, self._page.place.date())
        starts = await self._reader.periods(bucket, begin, last, limit=limit + 1)
        results = []
        for start in starts[:limit]:
            end = bucket_end(bucket, bucket_start(bucket, instant(start))).date()
            total = await self._total(max(start, first), min(end, last))
            results.append(
                BucketResult(
                    start=instant(start), count=total.count, divisor=1, encrypted_result=await self._finished(total)
                )
            )
        if not results and not answer.partial and self._body.cursor is None:
            raise NoMetrics
        following: datetime | None = instant(starts[limit]) if len(starts) > limit else None
        return answer.model_copy(
            update={
                "count": sum(result.count for result in results),
                "buckets": tuple(results),
                "next_cursor": self._page.cursor(following),
            }
        )
