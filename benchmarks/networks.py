"""Networks that fail: a thousand syncs with a fifth of all calls failing, and pushes by a server that is killed.

Beside the syncs stand the same ones with a network that is well. Each post has to arrive, and each entry to be
published, exactly once.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import Report
from lockleaf.server.platform.settings import Settings
from tests.support.connected import NETWORKS, PICTURE, connected, knowing, published_at, where
from tests.support.killed_pushes import killed_push, points
from tests.support.social_network import running_network
from tests.support.syncing import CHANCE, SyncReport, sync_runs

__all__ = ["run"]

RUNS = 1000
PUSHES = 200


def run(database_url: str, report: Report) -> None:
    """Measure all of it, on a database of its own."""
    with _settings(database_url) as settings:
        for provider in NETWORKS:
            well, _ = asyncio.run(_synced(settings, provider, 0))
            seconds, synced = asyncio.run(_synced(settings, provider, CHANCE))
            share = 100 * synced.failures / synced.calls
            what = f"{RUNS:,} syncs of {provider}, {share:.0f} % of {synced.calls:,} calls failing"
            report.times(what, seconds, "s", "with a network that is well", well)
            lost = sum(synced.arrived[text] != count for text, count in synced.written.items())
            invented = len(synced.arrived.keys() - synced.written.keys())
            what = f"posts that did not arrive exactly once, of {synced.written.total():,}"
            report.value(what, lost + invented, "posts", aim="under 1")
            _kill(settings, provider, report)


async def _synced(settings: Settings, provider: str, chance: float) -> tuple[float, SyncReport]:
    with running_network(NETWORKS[provider]()) as network:
        async with connected(settings, network) as them:
            started = time.perf_counter()
            done = await sync_runs(them, network, runs=RUNS, seed=1, chance=chance)
            return time.perf_counter() - started, done


def _kill(settings: Settings, provider: str, report: Report) -> None:
    with running_network(NETWORKS[provider]()) as network:
        known, killed, told = knowing(settings, network), 0, Counter[str]()
        every, pushes = points(provider), PUSHES // len(NETWORKS)
        for number in range(pushes):
            point = every[number % len(every)]
            outcome = killed_push(known, network, f"words {number}", point, picture=PICTURE, **where(network))
            killed += outcome.killed
            told.update(outcome.answers[:-1])
        published = Counter(published_at(network))
        wrong = pushes - len(published) + sum(count != 1 for count in published.values())
        what = f"pushes to {provider} not published exactly once, of {pushes}, {killed} of them killed"
        report.value(what, wrong, "pushes", aim="under 1")
        report.value(f"answers that were unknown for a time, {provider}", told["unknown"], "answers")


@contextmanager
def _settings(database_url: str) -> Iterator[Settings]:
    with tempfile.TemporaryDirectory() as folder:
        named = {
            "DATABASE_URL": database_url,
            "LOCKLEAF_DATA_DIR": str(Path(folder)),
            "LOCKLEAF_SECRETS__ROOTS": secrets.token_urlsafe(48),
            "LOCKLEAF_SECRETS__PRELOGIN": secrets.token_urlsafe(48),
            "LOCKLEAF_HASHING__MEMORY_KIB": "64",
            "LOCKLEAF_HASHING__ITERATIONS": "1",
        }
        before = {name: os.environ.get(name) for name in named}
        os.environ.update(named)
        try:
            yield Settings(_env_file=None)
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
