"""Slow hashes: right, bounded in number, and off the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import bcrypt
import pytest

from lockleaf.server.identity.errors import HashingBusy
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.settings import HashingSettings


@contextmanager
def hasher(metrics: Metrics | None = None, **settings: int) -> Iterator[VerifierHasher]:
    made = VerifierHasher(
        HashingSettings(**{"memory_kib": 64, "iterations": 1, "threads": 1, "queue": 4, **settings}),
        metrics or Metrics(),
    )
    try:
        yield made
    finally:
        made.close()


async def test_a_password_is_the_same_from_every_keyboard() -> None:
    composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
    with hasher() as hashing:
        for made_of in (composed, decomposed):
            stored = await hashing.hash(made_of)
            assert await hashing.verify(stored, composed)
            assert await hashing.verify(stored, decomposed)
            assert not await hashing.verify(stored, "cafe au lait")
        elsewhere = bcrypt.hashpw(decomposed.encode(), bcrypt.gensalt(4)).decode()
        assert await hashing.verify(elsewhere, decomposed)


@contextmanager
def occupied(hashing: VerifierHasher) -> Iterator[threading.Event]:
    """One of the hasher's threads at work until the event is set."""
    end = threading.Event()
    hashing._submit(end.wait)
    try:
        yield end
    finally:
        end.set()


def waiting(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("lockleaf_hashing_waiting")


async def test_a_hash_verifies_its_secret_and_no_other() -> None:
    with hasher() as hashing:
        stored = await hashing.hash("correct horse")
        assert stored.startswith("$argon2id$")
        assert await hashing.verify(stored, "correct horse")
        assert not await hashing.verify(stored, "correct horsf")
        assert stored != await hashing.hash("correct horse")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "plain",
        "$argon2id$",
        "$argon2id$v=19$m=64,t=1,p=1$x$y",
        "$2b$",
        "$2b$12$abcdefghijklmnopqrstuv",
        "$2b$99$" + "a" * 53,
        "$2x$04$" + "a" * 53,
        "$2b$04$" + "ö" * 53,
    ],
)
async def test_what_is_no_hash_of_ours_verifies_nothing(stored: str) -> None:
    with hasher() as hashing:
        assert not await hashing.verify(stored, "secret secret")


async def test_a_dummy_verification_is_never_right() -> None:
    with hasher() as hashing:
        assert not await hashing.verify_dummy("any secret")


async def test_a_hash_with_other_costs_is_verified_and_known_as_outdated() -> None:
    with hasher() as before, hasher(iterations=2) as now:
        stored = await before.hash("a secret")
        assert await now.verify(stored, "a secret")
        assert now.needs_rehash(stored)
        assert not before.needs_rehash(stored)
        assert now.needs_rehash("$2b$12$abcdefghijklmnopqrstuv")


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
async def test_a_bcrypt_hash_of_another_system_is_verified_and_known_as_outdated(prefix: str) -> None:
    stored = prefix + bcrypt.hashpw("Möwe am Kai".encode(), bcrypt.gensalt(4)).decode()[4:]
    with hasher() as hashing:
        assert await hashing.verify(stored, "Möwe am Kai")
        assert not await hashing.verify(stored, "Moewe am Kai")
        assert hashing.needs_rehash(stored)


async def test_bcrypt_looks_at_72_bytes_of_a_secret_as_it_always_did() -> None:
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    with hasher() as hashing:
        assert await hashing.verify(stored, "x" * 72 + " and more")
        assert not await hashing.verify(stored, "x" * 71 + "y")
        # The 72nd byte may lie within a letter.
        stored = bcrypt.hashpw(("x" * 71 + "ö").encode()[:72], bcrypt.gensalt(4)).decode()
        assert await hashing.verify(stored, "x" * 71 + "ö")


async def test_an_attempt_costs_one_hash_whatever_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with hasher() as hashing:
        stored = await hashing.hash("\u00e9 in one form")
        counted: list[str] = []
        scheme = hashing._argon2id
        verify = scheme.verify
        monkeypatch.setattr(scheme, "verify", lambda kept, secret: counted.append(secret) or verify(kept, secret))
        assert await hashing.verify(stored, "e\u0301 in one form")
        assert not await hashing.verify(stored, "e\u0301 in another form")
        assert not await hashing.verify_dummy("e\u0301")
    assert len(counted) == 3


async def test_what_exceeds_the_queue_is_asked_to_come_back() -> None:
    metrics = Metrics()
    with hasher(metrics, threads=1, queue=2) as hashing, occupied(hashing) as running:
        attempts = [asyncio.create_task(hashing.hash("a secret")) for _ in range(9)]
        await asyncio.sleep(0)  # each has tried to take its place
        refused = [attempt for attempt in attempts if attempt.done()]
        assert len(refused) == 7
        for attempt in refused:
            error = attempt.exception()
            assert isinstance(error, HashingBusy)
            assert error.retry_after >= 1
        assert waiting(metrics) == 3
        running.set()
        assert all([(await attempt).startswith("$argon2id$") for attempt in attempts[:2]])
        assert (await hashing.hash("a secret")).startswith("$argon2id$")
    assert waiting(metrics) == 0


async def test_one_who_goes_while_waiting_leaves_the_queue() -> None:
    metrics = Metrics()
    with hasher(metrics, threads=1, queue=1) as hashing, occupied(hashing) as running:
        leaving = asyncio.create_task(hashing.hash("a secret"))
        await asyncio.sleep(0)
        assert waiting(metrics) == 2
        with pytest.raises(HashingBusy):
            await hashing.hash("a secret")
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        staying = asyncio.create_task(hashing.hash("a secret"))
        running.set()
        assert (await staying).startswith("$argon2id$")
    assert waiting(metrics) == 0


async def test_the_event_loop_runs_on_while_hashes_are_made() -> None:
    with hasher(memory_kib=65536, iterations=3) as hashing:
        work = asyncio.create_task(hashing.hash("a secret"))
        turns = 0
        while not work.done():
            await asyncio.sleep(0)
            turns += 1
    assert turns > 100


async def test_a_stopping_server_starts_no_more_hashes() -> None:
    with hasher() as hashing:
        hashing.close()
        with pytest.raises(HashingBusy):
            await hashing.hash("a secret")
