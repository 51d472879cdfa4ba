"""Invitations: codes of an operator's by which accounts are made, of which the server keeps digests alone.

A code has 100 random bits, so that its digest needs no slow hash, and a thief of the database makes no account by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto import recovery
from lockleaf.crypto.errors import BadRecoveryCode
from lockleaf.server.identity.accounts.errors import InvalidInvitation, InvitationRequired, RegistrationClosed

__all__ = ["Invitation", "invite", "invited", "refusal", "require_open", "revoke", "spend"]

SHOWN = 12
"""How many digits of an invitation's digest stand for it in lists."""

_LABEL = b"lockleaf/1/invitation"
_IS_GOOD = text(
    "SELECT EXISTS (SELECT FROM invitations WHERE digest = :digest AND uses_left > 0 AND expires_at > :now)"
)
# Whoever comes second waits for the row, and sees what is left of it then.
_SPEND = text("""
UPDATE invitations SET uses_left = uses_left - 1 WHERE digest = :digest AND uses_left > 0 AND expires_at > :now
RETURNING uses_left
""")


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as its operator sees it; the code was shown once.

    Attributes:
        id: the beginning of its digest.
        uses, uses_left: how many accounts may be made with it, and how many still.
    """

    id: str
    uses: int
    uses_left: int
    created_at: datetime
    expires_at: datetime


def require_open(mode: str) -> None:
    """Let pass where accounts are made at all.

    Raises:
        RegistrationClosed: they are not.
    """
    if mode == "closed":
        raise RegistrationClosed


async def refusal(
    session: AsyncSession, mode: str, code: str | None, now: datetime
) -> InvitationRequired | InvalidInvitation | None:
    """Return what keeps somebody from making an account, to be raised unless theirs is made already.

    Whether an email is taken is told to who may make an account, and to nobody else.
    """
    if mode != "invitation":
        return None
    if code is None:
        return InvitationRequired()
    digest = _digest(code)
    good = digest is not None and await session.scalar(_IS_GOOD, {"digest": digest, "now": now})
    return None if good else InvalidInvitation()


async def spend(session: AsyncSession, mode: str, code: str | None, now: datetime) -> None:
    """Take one use of an invitation, in the transaction that makes the account.

    Raises:
        InvalidInvitation: another account took the last one a moment ago.
    """
    if mode == "invitation":
        digest = _digest(code or "")
        if (await session.execute(_SPEND, {"digest": digest, "now": now})).first() is None:
            raise InvalidInvitation


def _digest(code: str) -> bytes | None:
    try:
        return sha256(_LABEL + recovery.normalise_code(code)).digest()
    except BadRecoveryCode:
        return None


# ---- the operator's side ----


async def invite(connection: asyncpg.Connection, *, uses: int, now: datetime, expires_at: datetime) -> str:
    """Make an invitation, and return its code, which is kept nowhere; those that have expired are forgotten.

    Args:
        uses: how many accounts may be made with it.
    """
    code = recovery.new_code()
    await connection.execute("DELETE FROM invitations WHERE expires_at <= $1", now)
    await connection.execute(
        "INSERT INTO invitations (digest, uses, uses_left, created_at, expires_at) VALUES ($1, $2, $2, $3, $4)",
        _digest(code),
        uses,
        now,
        expires_at,
    )
    return code


async def invited(connection: asyncpg.Connection, now: datetime) -> list[Invitation]:
    """Return the invitations by which accounts can still be made, oldest first."""
    rows = await connection.fetch(
        "SELECT left(encode(digest, 'hex'), $2), uses, uses_left, created_at, expires_at FROM invitations"
        " WHERE uses_left > 0 AND expires_at > $1 ORDER BY created_at, digest",
        now,
        SHOWN,
    )
    return [Invitation(*row) for row in rows]


async def revoke(connection: asyncpg.Connection, invitation_id: str) -> bool:
    """Take an invitation back; tell whether there was one."""
    done = await connection.execute(
        "DELETE FROM invitations WHERE left(encode(digest, 'hex'), $2) = $1", invitation_id.lower(), SHOWN
    )
    return bool(done != "DELETE 0")
