"""Many syncs with a network that fails at random, and what came of them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.connected import PNG, Connected
from tests.support.mastodon_instance import MastodonInstance

__all__ = ["SyncReport", "sync_runs"]

CHANCE = 0.2


@dataclass
class SyncReport:
    """What was written at the network, and what arrived, by text; and how much failed."""

    written: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    pictures: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    failed_runs: int = 0
    calls: int = 0
    failures: int = 0


async def sync_runs(them: Connected, network: Any, *, runs: int, seed: int, chance: float = CHANCE) -> SyncReport:
    """Write and pull, over and over; items are taken out of the inbox now and then. At the end the network is well.

    Args:
        chance: that a call of the server fails.
    """
    rng = random.Random(seed)
    network.rng = random.Random(seed + 1)
    report = SyncReport(runs=runs)
    for run in range(runs):
        network.chance = 0
        for number in range(rng.choice((0, 1, 1, 2))):
            text = f"run {run}, post {number}"
            with_picture = rng.random() < 0.2
            if isinstance(network, MastodonInstance):
                network.write(text, media=[network.picture(PNG)] if with_picture else [])
            else:
                network.write(text, photos=[network.photo(PNG, "image/png")] if with_picture else [])
            report.written[text] += 1
            report.pictures[text] += with_picture
        network.chance = chance
        answer = await them.call("pull")
        report.failed_runs += answer.status_code != 200
        assert answer.status_code in (200, 429, 503), answer.text
        if answer.status_code == 429:
            await them.wait(seconds=int(answer.headers["retry-after"]))
        if rng.random() < 0.2:
            await _take(them, report)
    network.chance = 0
    await them.wait(hours=2)
    while not (await them.pull())["complete"]:
        pass
    await _take(them, report)
    report.calls, report.failures = len(network.asked), network.counted.total()
    return report


async def _take(them: Connected, report: SyncReport) -> None:
    for item in await them.take_out():
        report.arrived[item["body"]] += 1
        assert len(item.get("attachments", ())) == report.pictures[item["body"]], "a post came without its picture"
