"""Slow hashes of what clients prove themselves with, off the event loop and bounded in number."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

import bcrypt
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from lockleaf.crypto.normalise import normalise_password
from lockleaf.server.identity.errors import HashingBusy
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.settings import HashingSettings

__all__ = ["VerifierHasher"]

T = TypeVar("T")


class _Scheme(Protocol):
    """A way of hashing that stored hashes may be in."""

    def recognises(self, stored: str) -> bool: ...

    def verify(self, stored: str, secret: str) -> bool: ...


class _Argon2id:
    """Argon2id with the parameters of the settings (RFC 9106); hashes with other parameters are verified too."""

    def __init__(self, settings: HashingSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.iterations,
            memory_cost=settings.memory_kib,
            parallelism=settings.parallelism,
            type=Type.ID,
        )

    def recognises(self, stored: str) -> bool:
        return stored.startswith("$argon2id$")

    def hash(self, secret: str) -> str:
        return self._hasher.hash(secret)

    def verify(self, stored: str, secret: str) -> bool:
        try:
            return self._hasher.verify(stored, secret)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)


class _Bcrypt:
    """bcrypt, in which accounts that come from elsewhere may be stored. Nothing new is hashed so."""

    # The one format under the names that its implementations gave it. "$2x$" is another, which is broken.
    _PREFIXES = ("$2a$", "$2b$", "$2y$")
    _LENGTH = 72

    def recognises(self, stored: str) -> bool:
        return stored.startswith(self._PREFIXES)

    def verify(self, stored: str, secret: str) -> bool:
        # bcrypt never looked at more than 72 bytes: implementations cut what was longer in silence, and so were the
        # hashes made that come here. The library refuses longer ones by now and leaves the cutting to its caller.
        try:
            return bcrypt.checkpw(secret.encode()[: self._LENGTH], stored.encode())
        except ValueError:
            return False


class VerifierHasher:
    """Hashes and verifies authentication secrets.

    Argon2 releases the interpreter's lock, so the threads run beside the event loop; what exceeds them waits in a
    queue of bounded length, so that a flood of logins costs neither memory nor the answers to everybody else.

    Args:
        settings: cost, threads, and how many may wait.
        metrics: where the number of those running or waiting is shown.
    """

    def __init__(self, settings: HashingSettings, metrics: Metrics) -> None:
        self._argon2id = _Argon2id(settings)
        # Hashes that other systems made are verified by a scheme of their own here, and are outdated by that alone.
        self._schemes: tuple[_Scheme, ...] = (self._argon2id, _Bcrypt())
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="lockleaf-hashing")
        self._places = settings.threads + settings.queue
        self._taken = 0
        self._lock = threading.Lock()
        self._metrics = metrics
        self._dummy = self._argon2id.hash(secrets.token_hex(32))

    async def hash(self, secret: str) -> str:
        """Return a salted hash of ``secret``, in the one form (NFKC) that all keyboards come to.

        What a client derived is base64, and is the same in that form.

        Raises:
            HashingBusy: too many are waiting.
        """
        return await self._run(lambda: self._argon2id.hash(normalise_password(secret)))

    async def verify(self, stored: str, secret: str) -> bool:
        """Tell whether ``stored`` is a hash of ``secret``: of its one form where it is Argon2id's, else to the letter.

        Raises:
            HashingBusy: too many are waiting.
        """
        return await self._run(lambda: self._verify(stored, secret))

    async def verify_dummy(self, secret: str) -> bool:
        """Take as long as ``verify`` where there is no hash to compare with; the answer is always False.

        Raises:
            HashingBusy: too many are waiting.
        """
        await self._run(lambda: self._verify(self._dummy, secret))
        return False

    async def run(self, work: Callable[[], T]) -> T:
        """Return what other slow ``work`` gives, in the same threads and behind the same queue.

        Raises:
            HashingBusy: too many are waiting.
        """
        return await self._run(work)

    def needs_rehash(self, stored: str) -> bool:
        """Tell whether ``stored`` was made in another way than ``hash`` would now."""
        return not self._argon2id.recognises(stored) or self._argon2id.is_outdated(stored)

    def close(self) -> None:
        """Let what runs finish, and start nothing more."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _verify(self, stored: str, secret: str) -> bool:
        # One hash an attempt, whatever is sent: ours are of the one form, other systems' of what they were given.
        if self._argon2id.recognises(stored):
            return self._argon2id.verify(stored, normalise_password(secret))
        return any(scheme.verify(stored, secret) for scheme in self._schemes if scheme.recognises(stored))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._submit(work))

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._taken >= self._places:
                raise HashingBusy(retry_after=1)
            self._taken += 1
        self._metrics.hashing.inc()
        try:
            future = self._threads.submit(work)
        except RuntimeError:  # the server is stopping
            self._leave()
            raise HashingBusy(retry_after=2) from None
        # The place is free when the work is done, not when the caller goes: hanging up must not free it.
        future.add_done_callback(self._leave)
        return future

    def _leave(self, _: Future[T] | None = None) -> None:
        with self._lock:
            self._taken -= 1
        self._metrics.hashing.dec()
