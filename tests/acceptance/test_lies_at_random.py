"""Whatever a server drops, repeats, reorders, truncates, takes back, crosses over or invents: what has to hold, holds.

Each seed is a session of two devices with lies of its own; `tests.support.lied_to` says what is held to what. The
benchmarks play two thousand others.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.lied_to import lied_to
from tests.support.process import RunningServer

TOGETHER = 6
CHOSEN = (0, 1, 4, 5, 6, 7, 8, 10, 11, 13, 16, 17)
"""Of the first twenty, those that together have every way of lying and every stop of a device that all of them have."""
SEEDS = tuple(range(60)) if os.environ.get("LOCKLEAF_TESTS_THOROUGHLY") else CHOSEN


@pytest.mark.parametrize("seeds", [SEEDS[first : first + TOGETHER] for first in range(0, len(SEEDS), TOGETHER)])
async def test_a_server_that_lies_at_random_is_caught_and_costs_no_word(
    server: RunningServer, tmp_path: Path, seeds: tuple[int, ...]
) -> None:
    told = [await lied_to(tmp_path / f"{seed}", server.url, seed) for seed in seeds]
    # Which shows that there were lies, and that some were noticed.
    assert sum(len(each.lies) for each in told) > TOGETHER
    assert any(each.stops for each in told)
