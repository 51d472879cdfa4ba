"""What the server adds up is what was encrypted, within the stated error, whichever way a range is cut."""

from __future__ import annotations

import httpx
import pytest

from tests.support.measurers import Measurer, measurer

DAYS = {
    "2023-12-31T23:59:59Z": 1.0,
    "2024-01-01T00:00:00Z": 2.0,
    "2024-01-31T12:00:00Z": 4.0,
    "2024-02-29T08:00:00Z": 8.0,
    "2024-12-31T23:59:59.999999Z": 16.0,
    "2025-03-10T10:00:00Z": 32.0,
    "2026-06-01T00:00:00Z": 64.0,
}
RANGES: list[tuple[str | None, str | None]] = [
    (None, None),
    ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ("2024-01-01T00:00:01Z", "2025-01-01T00:00:00Z"),
    ("2024-01-31T12:00:00Z", "2024-01-31T12:00:01Z"),
    ("2023-12-31T00:00:00Z", "2024-02-01T00:00:00Z"),
    ("2023-01-01T00:00:00Z", "2026-06-01T00:00:00Z"),
    (None, "2024-02-29T08:00:00Z"),
    ("2024-02-29T08:00:00+00:00", None),
    ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
]


@pytest.fixture
async def someone(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http)


def within(start: str | None, end: str | None) -> list[float]:
    return [
        number for at, number in DAYS.items() if (start is None or at >= start[:19]) and (end is None or at < end[:19])
    ]


async def test_any_range_is_the_sum_and_the_average_of_its_values(someone: Measurer) -> None:
    await someone.sent(*(someone.value(number, at) for at, number in DAYS.items()))
    for start, end in RANGES:
        expected = within(start, end)
        time_range = {name: value for name, value in (("start", start), ("end", end)) if value}
        found = await someone.result(time_range=time_range)
        assert found["count"] == len(expected)
        error = someone.keys.parameters.sum_error(len(expected), sum(expected))
        assert someone.read(found["encrypted_result"]) == pytest.approx(sum(expected), abs=error)
        average = await someone.result("average", time_range=time_range)
        assert average["divisor"] == 1
        assert someone.read(average["encrypted_result"]) == pytest.approx(sum(expected) / len(expected), abs=error)
