"""Where a session's tokens are kept between requests and between runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lockleaf.client.errors import InvalidAnswer
from lockleaf.client.profile.json_files import Fields, InvalidFile, as_json
from lockleaf.client.profile.private_files import locked
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.wire import tokens as token_bodies
else:
    token_bodies = late("lockleaf.wire.tokens")  # for who sends something

__all__ = ["MemoryTokens", "SecretTokens", "SessionTokens", "TokenStore"]

_NAME = "tokens"
_LOOK_AGAIN = 0.02
"""Seconds between two looks at whether another program has let go of the tokens."""

_TOKEN = re.compile("[A-Za-z0-9._~+/=-]{1,2048}", re.ASCII)  # RFC 6750, section 2.1


@dataclass(frozen=True, kw_only=True)
class SessionTokens:
    """The two tokens of a session, and the id of a refresh whose answer has not come yet."""

    access_token: str
    refresh_token: str
    retry_id: str | None = None

    def __repr__(self) -> str:
        """Name the type alone: tokens stay out of logs and tracebacks."""
        return "SessionTokens(...)"

    __str__ = __repr__

    @classmethod
    def of(cls, answer: token_bodies.Tokens) -> SessionTokens:
        """Return the tokens of a server's answer.

        Raises:
            InvalidAnswer: a header could not carry them.
        """
        if not all(map(_TOKEN.fullmatch, (answer.access_token, answer.refresh_token))):
            raise InvalidAnswer
        return cls(access_token=answer.access_token, refresh_token=answer.refresh_token)


class TokenStore(Protocol):
    """Keeps the tokens of one session."""

    def load(self) -> SessionTokens | None:
        """Return the tokens, or None when nobody is logged in."""
        ...

    def save(self, tokens: SessionTokens) -> None:
        """Keep ``tokens`` in place of what was kept."""
        ...

    def clear(self) -> None:
        """Forget the tokens."""
        ...

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """Hold everybody else off who would refresh the same tokens: a refresh token may be used once."""
        ...


class MemoryTokens:
    """Tokens that live as long as the program."""

    def __init__(self) -> None:
        self._tokens: SessionTokens | None = None
        self._lock = asyncio.Lock()

    def load(self) -> SessionTokens | None:
        """Return the tokens, or None when nobody is logged in."""
        return self._tokens

    def save(self, tokens: SessionTokens) -> None:
        """Keep ``tokens``."""
        self._tokens = tokens

    def clear(self) -> None:
        """Forget the tokens."""
        self._tokens = None

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """Hold other tasks of this program off."""
        return _held(self._lock)


class Secrets(Protocol):
    """Named secrets, sealed at rest: the local store."""

    def get_secret(self, name: str) -> bytes | None:
        """Return the secret, or None."""
        ...

    def set_secret(self, name: str, value: bytes | None) -> None:
        """Keep the secret, or forget it."""
        ...


class SecretTokens:
    """Tokens kept among the secrets of the local store, shared by every program that uses the profile.

    Args:
        secrets: where they are kept.
        lock_file: a file beside it, locked while the tokens are refreshed.
    """

    def __init__(self, secrets: Secrets, lock_file: Path) -> None:
        self._secrets = secrets
        self._lock_file = lock_file
        self._lock = asyncio.Lock()

    def load(self) -> SessionTokens | None:
        """Return the tokens, or None when nobody is logged in."""
        kept = self._secrets.get_secret(_NAME)
        if kept is None:
            return None
        try:
            fields = Fields.read(kept)
            return SessionTokens(
                access_token=fields.text("access_token", _TOKEN),
                refresh_token=fields.text("refresh_token", _TOKEN),
                retry_id=fields.optional("retry_id", fields.text),
            )
        except InvalidFile:
            return None

    def save(self, tokens: SessionTokens) -> None:
        """Keep ``tokens``."""
        self._secrets.set_secret(_NAME, as_json(vars(tokens)))

    def clear(self) -> None:
        """Forget the tokens."""
        self._secrets.set_secret(_NAME, None)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold other tasks and other programs off."""
        async with self._lock:
            # Asked again and again: a thread that waits for the lock cannot be cancelled, holds up the end of the
            # process, and would take the lock for nobody when it comes free.
            while True:
                with ExitStack() as held:
                    try:
                        held.enter_context(locked(self._lock_file, otherwise=_Taken))
                    except _Taken:
                        pass
                    else:
                        yield
                        return
                await asyncio.sleep(_LOOK_AGAIN)


class _Taken(Exception):
    """Another program holds the tokens at the moment."""


@asynccontextmanager
async def _held(lock: asyncio.Lock) -> AsyncIterator[None]:
    async with lock:
        yield
