"""Sessions of two devices with a server that lies at random: how many lies, what the devices said, what was broken.

By itself: ``python -m benchmarks.lies [SESSIONS] [FIRST]``.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer, lockleaf_server

__all__ = ["SESSIONS", "run"]

SESSIONS = 2_000
_AT_ONCE = 2
_PORTION = 20
_MEMORY = 4 << 30
"""Bytes of address space that a process which plays sessions may have."""


def _sessions(url: str, first: int, count: int) -> tuple[Counter[str], int, list[str]]:
    """Play some sessions; the errors by name, how many lies were told, and what was not as it has to be."""
    from tests.support.lied_to import Broken, lied_to  # noqa: PLC0415

    # A number that a server made up must not become so much memory.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    stops: Counter[str] = Counter()
    lies, broken = 0, []
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as home:
            try:
                told = asyncio.run(lied_to(Path(home), url, seed))
            except Broken as error:
                broken.append(str(error))
                continue
        stops.update(told.stops)
        lies += len(told.lies)
    return stops, lies, broken


def run(server: BenchmarkServer, report: Report, *, sessions: int = SESSIONS, first: int = 0) -> bool:
    """Play the sessions against ``server``; True if nothing was broken."""
    started = time.perf_counter()
    stops: Counter[str] = Counter()
    lies, broken = 0, 0
    with ProcessPoolExecutor(_AT_ONCE, mp_context=get_context("spawn")) as pool:
        starts = range(first, first + sessions, _PORTION)
        counts = [min(_PORTION, first + sessions - start) for start in starts]
        for said, told, wrong in pool.map(_sessions, [server.url] * len(starts), starts, counts):
            stops += said
            lies += told
            broken += len(wrong)
            for each in wrong:
                print(each)
    report.value("sessions with a server that lies at random", sessions, "sessions")
    report.value("lies told in them", lies, "lies")
    report.value("stops with a named error", stops.total(), "stops")
    report.value("sessions in which anything was lost, invented or without a name", broken, "sessions", aim="under 1")
    report.value("time of a session", (time.perf_counter() - started) / sessions * 1000 * _AT_ONCE, "ms")
    print("  " + ", ".join(f"{name} {count:,}" for name, count in stops.most_common()))
    return broken == 0


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    with lockleaf_server(workers=1, settings={"LOCKLEAF_HASHING__MEMORY_KIB": "64"}) as running:
        whole = run(
            running,
            Report("A server that lies at random"),
            sessions=given[0] if given else SESSIONS,
            first=given[1] if len(given) > 1 else 0,
        )
    sys.exit(0 if whole else 1)
