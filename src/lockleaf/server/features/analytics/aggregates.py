"""What is computed from numbers that nobody here can read.

The time of a range goes into its single values where it cuts a month, and into sums that are kept for the rest: whole
years and months, however many values there are. All of an answer is of one moment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from lockleaf.he.params import PARAMETER_SETS
from lockleaf.server.features.analytics.errors import (
    NoMetrics,
    SquaresRequired,
    TooManyValues,
    UnsupportedOperation,
    WeightsMismatch,
)
from lockleaf.server.features.analytics.evaluators import Evaluators, Form
from lockleaf.server.features.analytics.packed import aggregate_packed
from lockleaf.server.features.analytics.paging import ResultRange
from lockleaf.server.features.analytics.periods import LAST, bucket_end, bucket_start, cover, instant
from lockleaf.server.features.analytics.ranges import SumReader
from lockleaf.server.features.analytics.totals import added, weighted
from lockleaf.server.features.privacy import service as privacy
from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.db.engine import Database
from lockleaf.wire.analytics import MAX_WEIGHTS, Aggregate, Aggregation, BucketResult

__all__ = ["aggregate"]

_DAY = timedelta(days=1)
_LEAST_SPREAD = 1e-9
"""In square days: values within seconds of each other show no trend."""


async def aggregate(
    database: Database, cursors: CursorCodec, evaluators: Evaluators, user_id: UUID, body: Aggregation
) -> Aggregate:
    """Return what ``body`` asks for.

    Raises:
        NoMetrics: there is nothing in the range.
        UnsupportedOperation: the parameter set cannot do it.
        TooManyValues: more would be added than comes out right.
        WeightsMismatch: there are not as many weights as values.
        SquaresRequired: not every value has a square.
        InvalidCursor: the cursor is not of this question.
        EvaluatorsBusy, EvaluationUnavailable: the server cannot compute now.
    """
    able = PARAMETER_SETS[body.parameter_set].operations
    if body.operation in ("weighted_sum", "trend") and body.operation not in able:
        raise UnsupportedOperation(operations=sorted({*able, "variance"} - {"square"}))
    page = ResultRange(cursors, user_id, body)
    async with evaluators.turn(), database.snapshot() as connection:
        raw = await privacy.answers_raw(connection, user_id, body.parameter_set)
        if body.layout is not None:
            return await aggregate_packed(evaluators, connection, user_id, body, page, raw=raw)
        return await _Singles(evaluators, connection, user_id, body, page, raw=raw).aggregate()


@dataclass(frozen=True, slots=True)
class _Result:
    count: int
    divisor: float
    data: bytes
    squares: bytes | None = None


class _Singles:
    """A question about single values."""

    def __init__(
        self,
        evaluators: Evaluators,
        connection: asyncpg.Connection,
        user_id: UUID,
        body: Aggregation,
        page: ResultRange,
        *,
        raw: bool,
    ) -> None:
        self._evaluators = evaluators
        self._reader = SumReader(connection, user_id, body.metric_type or "", body.parameter_set)
        self._body = body
        self._page = page
        self._most = PARAMETER_SETS[body.parameter_set].most_values
        self._form = Form("", raw)
        self._square_kind: str | None = None

    async def aggregate(self) -> Aggregate:
        """Answer it."""
        version = await self._reader.seal_version()
        if version is None:
            raise NoMetrics
        self._form = replace(self._form, version=self._body.seal_version or version)
        start, end = self._page.start, self._page.end
        if self._body.operation == "variance":
            self._square_kind = await self._kind_of_squares(start, end)
        if self._body.bucket is not None:
            return await self._buckets(start, end)
        if self._body.weights is not None:
            return await self._weighted(start, end, self._body.weights)
        if self._body.operation == "trend":
            return await self._trend(start, end)
        result = await self._result(start, end)
        if result is None:
            raise NoMetrics
        return self._answer(
            count=result.count,
            divisor=result.divisor,
            encrypted_result=result.data,
            encrypted_sum_squares=result.squares,
        )

    def _answer(self, **found: object) -> Aggregate:
        uploaded = {"squares": "uploaded", "products": "multiplied"}
        return Aggregate.model_validate(
            {
                "metric_type": self._body.metric_type,
                "operation": self._body.operation,
                "parameter_set": self._body.parameter_set,
                "squares": uploaded.get(self._square_kind or ""),
                **found,
            }
        )

    async def _kind_of_squares(self, start: datetime, end: datetime) -> str:
        """Return the kind of which every value in the range has a square."""
        whole = cover(start, end)
        count = await self._reader.count(whole, "values")
        with_squares = 0
        for kind in ("squares", "products"):
            squares = await self._reader.count(whole, kind)
            if squares == count:
                return kind
            with_squares += squares
        raise SquaresRequired(count=count, with_squares=with_squares)

    async def _result(self, start: datetime, end: datetime) -> _Result | None:
        operation, parts = self._body.operation, cover(start, end)
        total = await added(self._evaluators, operation, self._reader.terms(parts, "values"), most=self._most)
        if not total.count:
            return None
        divided = total.count if operation == "average" else None
        data = await total.finish(self._evaluators, operation, form=self._form, divisor=divided)
        if self._square_kind is None:
            return _Result(total.count, 1, data)
        squares = await added(
            self._evaluators, operation, self._reader.terms(parts, self._square_kind), most=self._most
        )
        return _Result(
            total.count, total.count, data, await squares.finish(self._evaluators, operation, form=self._form)
        )

    async def _buckets(self, start: datetime, end: datetime) -> Aggregate:
        starts, following = await self._starts(self._page.place or start, end)
        results = []
        for each in starts:
            result = await self._result(max(each, start), min(self._end_of(each), end))
            if result is not None:
                results.append(
                    BucketResult(
                        start=each,
                        count=result.count,
                        divisor=result.divisor,
                        encrypted_result=result.data,
                        encrypted_sum_squares=result.squares,
                    )
                )
        if not results and following is None and self._body.cursor is None:
            raise NoMetrics
        return self._answer(
            count=sum(result.count for result in results),
            buckets=tuple(results),
            next_cursor=self._page.cursor(following),
        )

    def _end_of(self, start: datetime) -> datetime:
        assert self._body.bucket is not None
        return bucket_end(self._body.bucket, start)

    async def _starts(self, place: datetime, end: datetime) -> tuple[list[datetime], datetime | None]:
        """Return the buckets of a page, which begins at ``place``, and where the next one does."""
        bucket, limit = self._body.bucket, self._page.limit
        assert bucket is not None
        if bucket in ("month", "year"):
            first = bucket_start(bucket, place).date()
            found = await self._reader.periods(bucket, first, min(end.date() + _DAY, LAST), limit=limit + 1)
            starts = [instant(each) for each in found if instant(each) < end]
            return starts[:limit], (starts[limit] if len(starts) > limit else None)
        # So many days or weeks from the first that has anything: what is looked through does not grow with the range.
        earliest = await self._reader.next_time(place, end)
        if earliest is None:
            return [], None
        until = bucket_start(bucket, earliest)
        for _ in range(limit):
            until = bucket_end(bucket, until)
        until = min(until, end)
        return await self._reader.buckets(bucket, earliest, until), await self._reader.next_time(until, end)

    async def _weighted(self, start: datetime, end: datetime, weights: Sequence[float]) -> Aggregate:
        times = await self._times(start, end)
        if len(times) != len(weights):
            raise WeightsMismatch(count=len(times))
        heavy, _ = await weighted(self._evaluators, "weighted_sum", self._reader.singles(start, end), weights)
        return self._answer(
            count=heavy.count,
            encrypted_result=await heavy.finish(self._evaluators, "weighted_sum", form=self._form),
        )

    async def _times(self, start: datetime, end: datetime) -> list[datetime]:
        times = await self._reader.times(start, end, limit=MAX_WEIGHTS + 1)
        if not times:
            raise NoMetrics
        if len(times) > MAX_WEIGHTS:
            raise TooManyValues(count=await self._reader.count(cover(start, end), "values"), most=MAX_WEIGHTS)
        return times

    async def _trend(self, start: datetime, end: datetime) -> Aggregate:
        """Answer with the line of least squares through the values: what it rises by in a day, and its middle."""
        times = await self._times(start, end)
        days = [(at - times[0]) / _DAY for at in times]
        mean = math.fsum(days) / len(days)
        centred = [day - mean for day in days]
        spread = math.fsum(day * day for day in centred)
        if spread < _LEAST_SPREAD:
            raise NoMetrics(count=len(times))
        if max(map(abs, centred)) > PARAMETER_SETS[self._body.parameter_set].largest_weight:
            raise UnsupportedOperation(operations=["sum", "average"])
        heavy, plain = await weighted(self._evaluators, "trend", self._reader.singles(start, end), centred)
        return self._answer(
            count=heavy.count,
            encrypted_result=await heavy.finish(self._evaluators, "trend", form=self._form, divisor=spread),
            encrypted_average=await plain.finish(self._evaluators, "trend", form=self._form, divisor=plain.count),
            mean_time=times[0] + mean * _DAY,
        )
