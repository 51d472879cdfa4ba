"""Looking at the public contexts that clients send, in a process apart: they are hostile input, and much work."""

from __future__ import annotations

import asyncio
import sys

from lockleaf.he.contexts import wrap_public_key
from lockleaf.he.params import PARAMETER_SETS
from lockleaf.he.seal import is_object
from lockleaf.server.features.privacy import context_check
from lockleaf.server.identity.accounts.errors import InvalidHePublicKey, SecretKeyReceived
from lockleaf.server.identity.accounts.privacy_repository import PublicContext
from lockleaf.server.platform.errors import Busy
from lockleaf.server.platform.sandbox import environment
from lockleaf.wire.problems import ErrorCode

__all__ = ["ContextsBusy", "PublicContexts"]

AT_ONCE = 1
WAITING = 8
PATIENCE_SECONDS = 30.0


class ContextsBusy(Busy):
    """Too many keys for metrics are being looked at. Nothing was decided; wait as long as `Retry-After` says."""

    code = ErrorCode.TOO_MANY_REQUESTS


class PublicContexts:
    """Checks contexts, one at a time in a worker; a few may wait."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def check(self, data: bytes) -> PublicContext:
        """Return ``data``, or where it is SEAL's own public key a context around it, with its parameter set.

        Raises:
            SecretKeyReceived: it carries a secret key, or is one. It was in memory, and is nowhere else.
            InvalidHePublicKey: it is neither, or of no known parameter set.
            ContextsBusy: too many wait.
        """
        if self._waiting >= WAITING:
            raise ContextsBusy(retry_after=5)
        self._waiting += 1
        try:
            async with self._turns:
                parameter_set, *more = (await _facts_of(data)).split()
                raw = is_object(data)
                if raw:
                    data = wrap_public_key(data, PARAMETER_SETS[parameter_set])
                return PublicContext(parameter_set, data, multiplies=bool(more), raw=raw)
        finally:
            self._waiting -= 1


async def _facts_of(data: bytes) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        context_check.__name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(),
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            said, _ = await process.communicate(data)
    except TimeoutError:
        raise InvalidHePublicKey from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == context_check.SECRET:
        raise SecretKeyReceived
    if process.returncode == context_check.INVALID:
        raise InvalidHePublicKey(reason=said.decode("ascii"))
    if process.returncode != 0:
        raise InvalidHePublicKey
    return said.decode("ascii")
