"""Who is asking: from an access token to a session that is alive, in one statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import asyncpg

from lockleaf.server.identity.errors import AccountDisabled, InsufficientScope, SessionRevoked
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.tiers import TIERS, TierRequired

__all__ = ["Principal", "authenticate", "require_scope", "require_tier"]

_ALIVE = """
SELECT s.scope, s.device_id, a.custody, a.privacy_tier, a.disabled_at IS NOT NULL AS disabled
FROM sessions s JOIN accounts a ON a.user_id = s.user_id
WHERE s.user_id = $1 AND s.session_id = $2 AND NOT s.revoked AND s.expires_at > now()
"""

_ALIVE_WITH_ITS_KEY = (
    _ALIVE
    + """AND EXISTS (
  SELECT FROM session_keys k WHERE k.user_id = $1 AND k.session_id = $2 AND k.generation = $3
)"""
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The account and the session that a request speaks for.

    Attributes:
        scope: what the session may do: ``NAME`` to read and write, ``NAME:read`` to read.
        custody: ``e2e`` or ``uce``.
        privacy_tier: one of ``TIERS``.
        device_id: the client's name for the device, if it gave one.
        generation, session_key: of a uce session: with the key (32 bytes) the custody opens its content.
    """

    user_id: UUID
    session_id: UUID
    scope: frozenset[str]
    custody: str
    privacy_tier: str
    device_id: str | None
    generation: int = 0
    session_key: bytes | None = field(default=None, repr=False)

    @property
    def device(self) -> str:
        """What stands for the device where a record names one: its own name, or the session's id."""
        return self.device_id or str(self.session_id)


async def authenticate(connection: asyncpg.Connection, tokens: TokenCodec, access_token: str) -> Principal:
    """Return who ``access_token`` speaks for. The session is looked up each time, so that revoking works at once.

    Raises:
        TokenExpired: the token's time is over.
        TokenInvalid: it is not this server's access token.
        SessionRevoked: its session has ended, or its account is gone.
        AccountDisabled: the operator lets nobody into the account.
    """
    claims = tokens.read_access(access_token)
    if claims.session_key is None:
        row = await connection.fetchrow(_ALIVE, claims.user_id, claims.session_id)
    else:
        row = await connection.fetchrow(_ALIVE_WITH_ITS_KEY, claims.user_id, claims.session_id, claims.generation)
    if row is None:
        raise SessionRevoked
    scope, device_id, custody, privacy_tier, disabled = row
    if disabled:
        raise AccountDisabled
    return Principal(
        claims.user_id,
        claims.session_id,
        _names(scope),
        custody,
        privacy_tier,
        device_id,
        claims.generation or 0,
        claims.session_key,
    )


def require_scope(principal: Principal, name: str, *, write: bool) -> None:
    """Let pass who may read ``name``, or write it.

    Raises:
        InsufficientScope: the session was opened for less.
    """
    if name not in principal.scope and (write or f"{name}:read" not in principal.scope):
        raise InsufficientScope(required=name if write else f"{name}:read")


def require_tier(principal: Principal, tier: str) -> None:
    """Let pass whose account keeps at least on the server what ``tier`` does.

    Raises:
        TierRequired: the account keeps it on the device.
    """
    if TIERS.index(principal.privacy_tier) < TIERS.index(tier):
        raise TierRequired(required=tier)


@lru_cache(maxsize=1024)
def _names(scope: str) -> frozenset[str]:
    return frozenset(scope.split())
