"""Who is asking: from an access token to a session that is alive, in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.server.identity.errors import AccountDisabled, InsufficientScope, SessionRevoked
from lockleaf.server.identity.tokens import AccessClaims, TokenCodec
from lockleaf.server.platform.tiers import TIERS, TierRequired

__all__ = [
    "Asking",
    "Principal",
    "SeveralAsking",
    "admitted",
    "authenticate",
    "require_scope",
    "require_tier",
    "who",
    "who_of_several",
]

# A session that is alive: its account, its id, and of a uce session the generation of its key.
_ALIVE = """
FROM sessions s JOIN accounts a ON a.user_id = s.user_id
WHERE s.user_id = {user_id} AND s.session_id = {session_id} AND NOT s.revoked AND s.expires_at > now()
  AND ({generation}::int IS NULL OR EXISTS (
    SELECT FROM session_keys k
    WHERE k.user_id = {user_id} AND k.session_id = {session_id} AND k.generation = {generation}
  ))
"""
# Texts, so that they fit into one array: a row without a name cannot travel between the nodes of a database.
_TOLD = "s.scope, s.device_id, a.custody, a.privacy_tier, a.disabled_at::text"


def _told(user_id: str, session_id: str, generation: str) -> str:
    """Return the expression that tells who is asking; NULL if nobody may."""
    alive = _ALIVE.format(user_id=user_id, session_id=session_id, generation=generation)
    return f"(SELECT ARRAY[{_TOLD}] {alive})"


_WHO = f"SELECT {_told('$1', '$2', '$3')}"


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
    return await who(connection, Asking(tokens.read_access(access_token)))


async def who(connection: asyncpg.Connection, asking: Asking) -> Principal:
    """Return who is asking, by a statement of its own.

    Raises:
        SessionRevoked: the session has ended, or its account is gone.
        AccountDisabled: the operator lets nobody into the account.
    """
    return asking.principal(await connection.fetchval(_WHO, asking.user_id, *asking.arguments))


class SeveralAsking:
    """Several who say that they ask, of each of whom one statement tells if they may.

    Args:
        asking: they.
    """

    columns = "$1::uuid[], $2::uuid[], $3::int[]"
    names = "user_id, session_id, generation"
    told = _told("w.user_id", "w.session_id", "w.generation")

    def __init__(self, asking: Sequence[Asking]) -> None:
        self._asking = asking

    @property
    def arguments(self) -> tuple[list[UUID], list[UUID], list[int | None]]:
        """What the statement takes first."""
        sessions = [each.arguments for each in self._asking]
        return (
            [each.user_id for each in self._asking],
            [session_id for session_id, _ in sessions],
            [generation for _, generation in sessions],
        )


_WHO_OF_SEVERAL = f"""
SELECT {SeveralAsking.told} AS told
FROM unnest({SeveralAsking.columns}) WITH ORDINALITY AS w({SeveralAsking.names}, position)
ORDER BY w.position
"""  # noqa: S608


async def who_of_several(
    connection: asyncpg.Connection, asking: Sequence[Asking]
) -> list[Principal | SessionRevoked | AccountDisabled]:
    """Return who is asking, of several at once, or why it is nobody."""
    rows = await connection.fetch(_WHO_OF_SEVERAL, *SeveralAsking(asking).arguments)
    return [each.principal_or_refusal(row["told"]) for each, row in zip(asking, rows, strict=True)]


class Asking:
    """Who says that they ask, by a token whose signature is right: the statement that answers tells if they may.

    It reads the session along with what is asked for. Until `principal` has returned, nothing of the answer is to be
    believed to be for them.
    """

    def __init__(self, claims: AccessClaims) -> None:
        self.user_id = claims.user_id
        self.session_id = claims.session_id
        self._claims = claims

    @property
    def has_key(self) -> bool:
        """Whether the token carries the key of a uce session."""
        return self._claims.session_key is not None

    @property
    def arguments(self) -> tuple[UUID, int | None]:
        """What a statement with `told_by` takes in the two places that were named for it."""
        generation = None if self._claims.session_key is None else self._claims.generation
        return self.session_id, generation

    @staticmethod
    def told_by(session_id: str, generation: str, /) -> str:
        """Return the expression by which a statement of the account $1 tells who is asking; NULL if nobody may.

        Arguments:
            session_id, generation: the places of its `arguments`, such as ``$5``.
        """
        return _told("$1", session_id, generation)

    def principal(self, told: Iterable[Any] | None) -> Principal:
        """Return who is asking, by what the statement told.

        Raises:
            SessionRevoked: the session has ended, or its account is gone.
            AccountDisabled: the operator lets nobody into the account.
        """
        if told is None:
            raise SessionRevoked
        scope, device_id, custody, privacy_tier, disabled_at = told
        if disabled_at is not None:
            raise AccountDisabled
        claims = self._claims
        return Principal(
            self.user_id,
            self.session_id,
            _names(scope),
            custody,
            privacy_tier,
            device_id,
            claims.generation or 0,
            claims.session_key,
        )

    def principal_or_refusal(self, told: Iterable[Any] | None) -> Principal | SessionRevoked | AccountDisabled:
        """Return who is asking, or what `principal` raises: of several, one that is nobody stops none of the others."""
        try:
            return self.principal(told)
        except (SessionRevoked, AccountDisabled) as error:
            return error


def admitted(principal: Principal, scope: str, *, write: bool) -> Principal:
    """Let pass, and return, who may do this with records that the server holds.

    Raises:
        InsufficientScope: the session was opened for less.
        TierRequired: the account keeps its records on the device.
    """
    require_scope(principal, scope, write=write)
    require_tier(principal, "full_sync")
    return principal


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
