"""The rules of sessions: opening, continuing, ending them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.auth.errors import RefreshTokenReused, SessionRevoked, TokenExpired
from lockleaf.server.auth.models import Session
from lockleaf.server.auth.repository import SessionRepository
from lockleaf.server.auth.tokens import RefreshClaims, TokenCodec
from lockleaf.server.errors import NotFound, Unauthenticated
from lockleaf.server.identifiers import uuid7
from lockleaf.wire import accounts as bodies

__all__ = ["ALL_SCOPES", "Device", "delete_all", "end", "listed", "open_session", "renew", "rotate", "tokens_of"]

ALL_SCOPES = " ".join(sorted(bodies.SCOPES))


@dataclass(frozen=True, slots=True)
class Device:
    """What a session is opened on, and for."""

    device_name: str | None = None
    device_id: str | None = None
    scope: str | None = None


async def open_session(
    session: AsyncSession, user_id: UUID, device: Device, *, tokens: TokenCodec, now: datetime
) -> Session:
    """Open a session for an account whose owner has proven it, and forget those that have ended."""
    repository = SessionRepository(session, user_id)
    await repository.purge(now)
    row = Session(
        user_id=user_id,
        session_id=uuid7(now),
        device_id=device.device_id,
        device_name=device.device_name,
        scope=device.scope or ALL_SCOPES,
        generation=1,
        rotated_at=_to_the_second(now),
        created_at=now,
        last_used_at=now,
        expires_at=_expiry(tokens, now),
        revoked=False,
    )
    await repository.add(row)
    return row


def tokens_of(row: Session, *, tokens: TokenCodec, now: datetime) -> dict[str, Any]:
    """Return the fields of ``Tokens`` for the present generation of a session; the same whenever they are asked for."""
    expires = int(row.rotated_at.timestamp()) + tokens.access_seconds
    return {
        "access_token": tokens.access(row.user_id, row.session_id, row.rotated_at),
        "refresh_token": tokens.refresh(row.user_id, row.session_id, row.generation, row.rotated_at),
        "expires_in": max(0, expires - int(now.timestamp())),
        "scope": row.scope,
        "session_id": row.session_id,
    }


async def rotate(
    session: AsyncSession,
    claims: RefreshClaims,
    retry_id: str | None,
    *,
    tokens: TokenCodec,
    retry_seconds: float,
    now: datetime,
) -> Session | Unauthenticated:
    """Give a session its next refresh token, or say why not.

    The reason is returned and not raised: where a token was used twice the session ends here, and an exception would
    take that back with the rest of the transaction.

    Arguments:
        claims: of the token that was sent.
        retry_id: of the attempt. The same token with the same id is answered alike for ``retry_seconds``.
    """
    repository = SessionRepository(session, claims.user_id)
    retry_hash = None if retry_id is None else sha256(retry_id.encode()).digest()
    moved = await repository.advance(
        claims.session_id,
        claims.generation,
        retry_hash=retry_hash,
        now=now,
        rotated_at=_to_the_second(now),
        expires_at=_expiry(tokens, now),
    )
    if moved is not None:
        return moved
    row = await repository.get(claims.session_id)
    if row is None or row.revoked or row.generation < claims.generation:
        return SessionRevoked()
    if row.generation == claims.generation:
        return TokenExpired()
    if (
        row.generation == claims.generation + 1
        and retry_hash is not None
        and row.retry_hash is not None
        and hmac.compare_digest(retry_hash, row.retry_hash)
        and now - row.rotated_at <= timedelta(seconds=retry_seconds)
    ):
        return row
    await repository.revoke(claims.session_id)
    return RefreshTokenReused()


async def renew(
    session: AsyncSession, user_id: UUID, session_id: UUID, *, tokens: TokenCodec, now: datetime
) -> Session:
    """End every other session of an account, and give this one its next tokens.

    Raises:
        SessionRevoked: this one has ended too.
    """
    repository = SessionRepository(session, user_id)
    await delete_all(session, user_id, but=session_id)
    moved = await repository.advance(
        session_id, None, retry_hash=None, now=now, rotated_at=_to_the_second(now), expires_at=_expiry(tokens, now)
    )
    if moved is None:
        raise SessionRevoked
    return moved


async def listed(session: AsyncSession, user_id: UUID, current: UUID, *, now: datetime) -> bodies.Sessions:
    """Return the devices that are signed in, latest used first."""
    rows = await SessionRepository(session, user_id).alive(now)
    return bodies.Sessions(
        items=tuple(
            bodies.Session(
                id=row.session_id,
                device_id=row.device_id,
                device_name=row.device_name,
                scope=row.scope,
                created_at=row.created_at,
                last_used_at=row.last_used_at,
                expires_at=row.expires_at,
                current=row.session_id == current,
            )
            for row in rows
        )
    )


async def end(session: AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Sign a device out at once.

    Raises:
        NotFound: the account has no such session.
    """
    if not await SessionRepository(session, user_id).delete(session_id):
        raise NotFound
    _note_signed_out(session, user_id)


async def delete_all(session: AsyncSession, user_id: UUID, *, but: UUID | None = None) -> None:
    """Sign every device out, or every one ``but`` one."""
    await SessionRepository(session, user_id).delete_all(but=but)
    _note_signed_out(session, user_id)


def _note_signed_out(session: AsyncSession, user_id: UUID) -> None:
    """Have live streams look, after the commit, whether their session is still there."""
    session.info.setdefault("signed_out", set()).add(user_id)


def _to_the_second(now: datetime) -> datetime:
    # Tokens count seconds: made again from the row, they must be the same tokens.
    return now.replace(microsecond=0)


def _expiry(tokens: TokenCodec, now: datetime) -> datetime:
    return _to_the_second(now) + timedelta(seconds=tokens.refresh_seconds)
