"""Keeping sums: what is new is added to them in the transaction that stores it, what is deleted is taken away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lockleaf.server.features.analytics.errors import InvalidCiphertext, TooManyValues
from lockleaf.server.features.analytics.evaluators import Evaluators, Sum
from lockleaf.server.features.analytics.periods import month_of
from lockleaf.server.features.analytics.repository import (
    MetricRepository,
    PackKey,
    StoredMetric,
    StoredPack,
    StoredSum,
    SumKey,
)

__all__ = ["AT_ONCE", "PackPart", "Part", "add_to_packs", "add_to_sums", "combine", "take_from_sums"]

AT_ONCE = 24
"""Ciphertexts in one question to an evaluator: some 7 MiB, and a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is added to the sums of a month and its year: itself a sum of ``count`` ciphertexts."""

    metric_type: str
    parameter_set: str
    kind: str
    month: date
    ciphertext: bytes
    count: int
    seal_version: str

    @property
    def keys(self) -> tuple[SumKey, SumKey]:
        """The sums that it belongs to."""
        whole = (self.metric_type, self.parameter_set, self.kind)
        return SumKey(*whole, "month", self.month), SumKey(*whole, "year", date(self.month.year, 1, 1))


@dataclass(frozen=True, slots=True)
class PackPart:
    """What is added to an accumulator: a sum of ``count`` deltas, the first at place ``item`` of the request."""

    key: PackKey
    ciphertext: bytes
    count: int
    slots: int
    seal_version: str
    item: int


async def combine(evaluators: Evaluators, operation: str, sums: Sequence[Sum]) -> list[bytes]:
    """Return each of ``sums``, which are stored ones, asking for so much at once that nobody waits long behind it.

    Raises:
        EvaluationUnavailable: an evaluator died, or took too long.
    """
    made: list[bytes] = []
    waiting: list[Sum] = []
    for each in sums:
        plus = each.plus
        while len(plus) > AT_ONCE:
            [folded] = await evaluators.combine(operation, [Sum(plus[:AT_ONCE])])
            plus = [folded, *plus[AT_ONCE:]]
        if waiting and sum(len(one.plus) + len(one.minus) for one in waiting) + len(plus) > AT_ONCE:
            made += await evaluators.combine(operation, waiting)
            waiting = []
        waiting.append(Sum(plus, each.minus))
    if waiting:
        made += await evaluators.combine(operation, waiting)
    return made


async def add_to_sums(
    repository: MetricRepository, evaluators: Evaluators, parts: Iterable[Part], *, now: datetime
) -> None:
    """Add ``parts`` to the sums of their months and years."""
    by_key: defaultdict[SumKey, list[Part]] = defaultdict(list)
    for part in parts:
        for key in part.keys:
            by_key[key].append(part)
    keys = sorted(by_key)
    before = await repository.sums(keys)
    totals = await _totals(
        evaluators,
        [
            [*([before[key].ciphertext] if key in before else []), *(part.ciphertext for part in by_key[key])]
            for key in keys
        ],
    )
    await repository.write_sums(
        {
            key: StoredSum(
                total,
                (before[key].count if key in before else 0) + sum(part.count for part in by_key[key]),
                by_key[key][-1].seal_version,
            )
            for key, total in zip(keys, totals, strict=True)
        },
        now=now,
    )


async def take_from_sums(
    repository: MetricRepository, evaluators: Evaluators, metric: StoredMetric, *, now: datetime
) -> None:
    """Take a single value away from the sums that hold it."""
    gone = {"values": metric.ciphertext}
    if metric.square is not None:
        gone["products" if metric.multiplied else "squares"] = metric.square
    minus = {
        key: ciphertext
        for kind, ciphertext in gone.items()
        for key in Part(metric.metric_type, metric.parameter_set, kind, month_of(metric.at), ciphertext, 1, "").keys
    }
    before = await repository.sums(sorted(minus))
    left = [key for key in sorted(before) if before[key].count > 1]
    totals = await combine(evaluators, "delete", [Sum([before[key].ciphertext], minus=[minus[key]]) for key in left])
    after = {key: StoredSum(b"", 0, stored.seal_version) for key, stored in before.items()}
    for key, total in zip(left, totals, strict=True):
        after[key] = StoredSum(total, before[key].count - 1, before[key].seal_version)
    await repository.write_sums(after, now=now)


async def add_to_packs(
    repository: MetricRepository,
    evaluators: Evaluators,
    parts: Sequence[PackPart],
    *,
    most_additions: dict[str, int],
    now: datetime,
) -> None:
    """Add ``parts``, one for each accumulator, to what they change.

    Args:
        most_additions: how many ciphertexts may be added into one, by parameter set.

    Raises:
        InvalidCiphertext: a delta uses more or fewer slots than the accumulator.
        TooManyValues: an accumulator would hold more deltas than come out right.
    """
    ordered = sorted(parts, key=lambda part: part.key)
    before = await repository.packs([part.key for part in ordered])
    for part in ordered:
        stored = before.get(part.key)
        if stored is not None and stored.slots != part.slots:
            raise InvalidCiphertext(item=part.item, field="encrypted_value", reason="slots")
        most = most_additions[part.key.parameter_set]
        if (count := part.count + (stored.additions if stored else 0)) > most:
            raise TooManyValues(count=count, most=most)
    totals = await _totals(
        evaluators,
        [[*([before[part.key].ciphertext] if part.key in before else []), part.ciphertext] for part in ordered],
    )
    await repository.write_packs(
        {
            part.key: StoredPack(
                total,
                part.slots,
                part.count + (before[part.key].additions if part.key in before else 0),
                part.seal_version,
            )
            for part, total in zip(ordered, totals, strict=True)
        },
        now=now,
    )


async def _totals(evaluators: Evaluators, added: list[list[bytes]]) -> list[bytes]:
    """Return the sum of each list; that of one alone needs no evaluator."""
    summed = iter(await combine(evaluators, "add", [Sum(each) for each in added if len(each) > 1]))
    return [each[0] if len(each) == 1 else next(summed) for each in added]
