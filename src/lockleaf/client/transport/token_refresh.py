"""The session's tokens as requests use them: one at hand, a new one when it has expired, none when it is over."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lockleaf.client.errors import NotLoggedIn, RefreshTokenReused, SessionRevoked, TokenExpired, TokenInvalid
from lockleaf.client.transport.tokens import SessionTokens, TokenStore
from lockleaf.wire.tokens import Tokens

__all__ = ["Access"]


class Access:
    """The tokens of one session.

    Args:
        tokens: where they are kept.
        refresh: asks the server for the next ones, with a refresh token and the id of the attempt.
    """

    def __init__(self, tokens: TokenStore, refresh: Callable[[str, str], Awaitable[Tokens]]) -> None:
        self._tokens = tokens
        self._refresh = refresh
        self._renewing = asyncio.Lock()

    def token(self) -> str:
        """Return the access token.

        Raises:
            NotLoggedIn: there is no session.
        """
        kept = self._tokens.load()
        if kept is None:
            raise NotLoggedIn
        return kept.access_token

    def forget(self, access_token: str) -> None:
        """Forget the tokens of a session that is over, unless somebody logged in again in the meantime."""
        kept = self._tokens.load()
        if kept is not None and kept.access_token == access_token:
            self._tokens.clear()

    async def renew(self, stale: str) -> str:
        """Return an access token in place of ``stale``, renewed once for all who found it expired.

        The id of the attempt is kept before it is sent: a refresh whose answer was lost, in this run or the one
        before, is asked for again under the same id. Under a new one it would look as if the token had been copied.

        Raises:
            ApiError: the session is over, and its tokens are forgotten.
            NotLoggedIn: there is no session any more.
            TransportError: the server cannot be asked; the tokens are kept.
        """
        async with self._renewing, self._tokens.exclusive():
            kept = self._tokens.load()
            if kept is None:
                raise NotLoggedIn
            if kept.access_token != stale:
                return kept.access_token
            retry_id = kept.retry_id
            if retry_id is None:
                retry_id = uuid.uuid4().hex
                self._tokens.save(replace(kept, retry_id=retry_id))
            try:
                renewed = SessionTokens.of(await self._refresh(kept.refresh_token, retry_id))
            except (TokenExpired, TokenInvalid, SessionRevoked, RefreshTokenReused):
                self._tokens.clear()
                raise
            self._tokens.save(renewed)
            return renewed.access_token
