"""Pushes by a process that is killed at a chosen point, and what its successor makes of them."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import Any

from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import Clock, Person, served
from tests.support.connected import Connected, connect

__all__ = ["Kill", "KilledPush", "killed_push", "points"]

REQUESTS = {"mastodon": 2, "facebook": 3}
"""How many requests a push with one picture takes."""


@dataclass(frozen=True)
class Kill:
    """A point: ``before`` a request is done, ``after`` it was done and before the answer, or once that is ``sent``."""

    request: int
    when: str


@dataclass
class KilledPush:
    """What became of it.

    Attributes:
        answers: the states that were told afterwards, in their order.
    """

    killed: bool
    answers: list[str]


def points(provider: str) -> list[Kill]:
    """Every point of a push, and none."""
    every = [Kill(number, when) for number in range(REQUESTS[provider]) for when in ("before", "after", "sent")]
    return [*every, Kill(99, "before")]


def killed_push(
    settings: Settings, network: Any, text: str, point: Kill, *, picture: dict[str, Any], **where: Any
) -> KilledPush:
    """Push in a process that dies at a point; then ask again, as time passes, until it is published."""
    person, entry_id = asyncio.run(_prepared(settings, network))
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_push(settings, person, entry_id, text, picture, where, Clock()))
        finally:
            os._exit(0)
    _arm(network, point, child)
    _, status = os.waitpid(child, 0)
    _arm(network, None, 0)
    outcome = KilledPush(os.WIFSIGNALED(status), [])
    clock = Clock()
    for _ in range(5):
        clock.advance(minutes=11)
        told = asyncio.run(_push(settings, person, entry_id, text, picture, where, clock))
        outcome.answers.append(told)
        if told == "published":
            return outcome
    raise AssertionError(f"nobody knows: {outcome}")


def _arm(network: Any, point: Kill | None, child: int) -> None:
    heard = len(network.asked)

    def strike(when: str) -> Any:
        def hook(asked: Any) -> None:
            if point is not None and when == point.when and len(network.asked) - heard == point.request + 1:
                os.kill(child, signal.SIGKILL)
                if when == "before":
                    raise ConnectionResetError

        return hook

    network.before, network.after, network.sent = strike("before"), strike("after"), strike("sent")


async def _prepared(settings: Settings, network: Any) -> tuple[Person, str]:
    async with served(settings) as (app, http):
        them = await connect(app, http, network, Clock())
        return them.person, await them.entry()


async def _push(
    settings: Settings,
    person: Person,
    entry_id: str,
    text: str,
    picture: dict[str, Any],
    where: dict[str, Any],
    clock: Clock,
) -> str:
    async with served(settings, clock=clock) as (app, http):
        provider = "facebook" if where else "mastodon"
        them = Connected(app, http, await person.log_in(http), provider, clock)
        told = await them.push(entry_id, text, pictures=[picture], **where)
        return str(told["status"])
