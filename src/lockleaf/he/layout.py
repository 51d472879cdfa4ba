"""Many values in one ciphertext: a slot for each day of a month and each row of each metric.

A ciphertext has thousands of slots, and one value in all of them costs as much as thousands of values. So a client
keeps a ciphertext for each month as an accumulator at the server, and sends what changed: a delta, of the same layout,
that the server adds without knowing which of the slots it touches. Each metric has three rows: the values, their
squares (for the variance), and how many there are, which the server cannot count in here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from lockleaf.he.errors import ImplausibleResult, TooManyValues, ValueOutOfBounds
from lockleaf.he.metric_types import STANDARD, MetricType
from lockleaf.he.params import ParameterSet

__all__ = ["DAYS", "DayTotal", "Delta", "Layout", "Month"]

DAYS = 31
_ROWS = 3
_VALUES, _SQUARES, _COUNTS = range(_ROWS)
_UNSURE = 0.25
"""How far from a whole number a decrypted count may be: more than noise makes of it, less than what is ambiguous."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Month:
        """Return the month in which ``day`` lies."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What the values of one metric on one day of the month add up to."""

    count: int
    total: float
    squares: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Which slot is for what.

    Attributes:
        parameters: the set whose slots these are.
        types: the metrics, in order. Accumulators of different layouts are never added.
    """

    parameters: ParameterSet
    types: tuple[MetricType, ...] = STANDARD

    def __post_init__(self) -> None:
        if len(self.types) > self.parameters.slots // (DAYS * _ROWS):
            raise TooManyValues("there are not that many slots")
        if len({each.name for each in self.types}) != len(self.types):
            raise ValueError("each metric has one place")

    @property
    def identifier(self) -> str:
        """The name of the layout, by which the server tells accumulators apart."""
        return "month-1:" + ",".join(each.name for each in self.types)

    @property
    def width(self) -> int:
        """How many slots are in use, from the first."""
        return len(self.types) * _ROWS * DAYS

    def slot(self, name: str, day: int, row: int = _VALUES) -> int:
        """Return the slot of a metric on a day of the month.

        Args:
            name: of the metric.
            day: 1 to 31.
            row: 0 for the values, 1 for their squares, 2 for their count.

        Raises:
            ValueError: the layout has no such metric, day or row.
        """
        index = next((index for index, each in enumerate(self.types) if each.name == name), None)
        if index is None or not 1 <= day <= DAYS or not 0 <= row < _ROWS:
            raise ValueError("the layout has no such slot")
        return (index * _ROWS + row) * DAYS + day - 1

    def place(self, slot: int) -> tuple[str, int, int]:
        """Return metric, day and row of a slot in use.

        Raises:
            ValueError: it is not in use.
        """
        if not 0 <= slot < self.width:
            raise ValueError("the layout does not use that slot")
        line, day = divmod(slot, DAYS)
        index, row = divmod(line, _ROWS)
        return self.types[index].name, day + 1, row

    def factor(self, slot: int) -> float:
        """Return by what the number in a slot is multiplied before it is encrypted."""
        name, _, row = self.place(slot)
        kind = next(each for each in self.types if each.name == name)
        if row == _VALUES:
            return kind.factor(self.parameters)
        return kind.square_factor(self.parameters) if row == _SQUARES else 1.0

    def read(self, slots: Sequence[float]) -> dict[tuple[str, int], DayTotal]:
        """Return what decrypted slots hold, by metric and day of the month; days without a value are left out.

        Args:
            slots: as they were decrypted, of one month or of a sum of months.

        Raises:
            ImplausibleResult: a count is no whole number that could be one: the sum is not of this layout, or wrong.
        """
        found: dict[tuple[str, int], DayTotal] = {}
        if len(slots) < self.width:
            raise ImplausibleResult("the sum has fewer slots than its layout")
        for each in self.types:
            factor, square_factor = each.factor(self.parameters), each.square_factor(self.parameters)
            for day in range(1, DAYS + 1):
                counted = slots[self.slot(each.name, day, _COUNTS)]
                if not math.isfinite(counted) or abs(counted - round(counted)) > _UNSURE or round(counted) < 0:
                    raise ImplausibleResult("a count is no whole number")
                if count := round(counted):
                    found[each.name, day] = DayTotal(
                        count,
                        slots[self.slot(each.name, day)] / factor,
                        slots[self.slot(each.name, day, _SQUARES)] / square_factor,
                    )
        return found


class Delta:
    """Changes of values, gathered until they are sent: one ciphertext for each month that they touch."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._slots: defaultdict[Month, dict[int, float]] = defaultdict(dict)

    def add(self, day: date, name: str, value: float) -> None:
        """Note that there is a value of a metric on a day.

        Raises:
            ValueOutOfBounds: the value is outside of its metric's limits.
            ValueError: the layout has no such metric.
        """
        self._change(day, name, value, 1)

    def remove(self, day: date, name: str, value: float) -> None:
        """Note that a value, once added, is no more. An edit removes the value before and adds the one after.

        Raises:
            ValueOutOfBounds: the value is outside of its metric's limits.
            ValueError: the layout has no such metric.
        """
        self._change(day, name, value, -1)

    def _change(self, day: date, name: str, value: float, sign: int) -> None:
        slot = self.layout.slot(name, day.day)
        kind = next(each for each in self.layout.types if each.name == name)
        kind.check(value)
        slots = self._slots[Month.of(day)]
        for row, number in ((_VALUES, value), (_SQUARES, value * value), (_COUNTS, 1.0)):
            slots[slot + row * DAYS] = slots.get(slot + row * DAYS, 0.0) + sign * number

    def months(self) -> dict[Month, list[float]]:
        """Return the slots to encrypt for each month in which something changed, in order.

        Raises:
            ValueOutOfBounds: the values of a day and metric add up to more than a slot of the set sums correctly.
        """
        written: dict[Month, list[float]] = {}
        for month, changes in sorted(self._slots.items()):
            slots = [0.0] * self.layout.width
            for slot, number in changes.items():
                slots[slot] = number * self.layout.factor(slot)
                if abs(slots[slot]) > self.layout.parameters.largest_sum:
                    raise ValueOutOfBounds("the values of one day add up to more than a slot holds")
            if any(slots):
                written[month] = slots
        return written
