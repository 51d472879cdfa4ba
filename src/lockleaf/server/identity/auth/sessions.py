"""The rules of sessions: opening, continuing, ending them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.auth.models import Session
from lockleaf.server.identity.auth.repository import SessionRepository
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.errors import RefreshTokenReused, SessionRevoked, TokenExpired
from lockleaf.server.identity.tokens import RefreshClaims, TokenCodec
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.errors import NotFound, Unauthenticated
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.paging import Paging
from lockleaf.wire.account_fields import SCOPES
from lockleaf.wire.factors import AnswerKind
from lockleaf.wire.sessions import Session as SessionBody
from lockleaf.wire.sessions import Sessions
from lockleaf.wire.tokens import Tokens

__all__ = [
    "ALL_SCOPES",
    "Device",
    "OpenSession",
    "Proofs",
    "SessionIssuer",
    "delete_all",
    "device_names",
    "end",
    "list_all",
]

ALL_SCOPES = " ".join(sorted(SCOPES))

Proofs = tuple[Literal["registration", "password", "recovery_code"], AnswerKind | None]
"""What proved the owner of a session that is opened: the first thing, and with what the second factor was answered."""


@dataclass(frozen=True, slots=True)
class Device:
    """What a session is opened on, and for."""

    device_name: str | None = None
    device_id: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session's present generation; in uce with the key that only its tokens carry."""

    row: Session
    session_key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SessionIssuer:
    """Opens and continues sessions, and makes their tokens.

    Attributes:
        custodian: keeps the key-encryption key of a uce account under what its tokens carry.
    """

    clock: Clock
    tokens: TokenCodec
    custodian: Custodian

    async def open(
        self, session: AsyncSession, user_id: UUID, device: Device, opened_with: Proofs, *, kek: bytes | None = None
    ) -> OpenSession:
        """Open a session for an account whose owner has proven it, and forget those that have ended.

        Arguments:
            opened_with: what proved its owner.
            kek: the key-encryption key of a uce account.
        """
        now = self.clock()
        repository = SessionRepository(session, user_id)
        await repository.purge(now)
        row = Session(
            user_id=user_id,
            session_id=uuid7(now),
            device_id=device.device_id,
            device_name=device.device_name,
            scope=device.scope or ALL_SCOPES,
            opened_with=" ".join(filter(None, opened_with)),
            generation=1,
            rotated_at=_to_the_second(now),
            created_at=now,
            last_used_at=now,
            expires_at=self._expiry(now),
            revoked=False,
        )
        await repository.add(row)
        return OpenSession(row, await self._issue(repository, row, kek))

    def tokens_of(self, opened: OpenSession, *, seconds: int | None = None) -> Tokens:
        """Return the tokens of the present generation of a session; the same whenever they are asked for.

        Arguments:
            seconds: how long the access token lives; as the settings say by default.
        """
        row, key = opened.row, opened.session_key
        seconds = self.tokens.access_seconds if seconds is None else seconds
        expires = int(row.rotated_at.timestamp()) + seconds
        access = self.tokens.access(
            row.user_id, row.session_id, row.rotated_at, generation=row.generation, session_key=key, seconds=seconds
        )
        return Tokens(
            access_token=access,
            jwt_token=access,
            refresh_token=self.tokens.refresh(
                row.user_id, row.session_id, row.generation, row.rotated_at, session_key=key
            ),
            expires_in=max(0, expires - int(self.clock().timestamp())),
            scope=row.scope,
            session_id=row.session_id,
            user_id=row.user_id,
        )

    async def rotate(
        self, session: AsyncSession, claims: RefreshClaims, retry_id: str | None
    ) -> OpenSession | Unauthenticated:
        """Give a session its next refresh token, or say why not.

        An answer that was lost is given again: the same token with the same ``retry_id`` is answered alike until the
        token that it gave is refreshed in its turn; in uce for as long as the access token that it gave would live,
        since the row opens content for whoever has the old token. Who has the old token alone cannot ask for it, and
        of two who have both, the second to refresh next is found out.

        The reason is returned and not raised: where a token was used twice the session ends here, and an exception
        would take that back with the rest of the transaction.

        Arguments:
            claims: of the token that was sent.
            retry_id: of the attempt, chosen by the client.
        """
        now = self.clock()
        repository = SessionRepository(session, claims.user_id)
        retry_hash = None if retry_id is None else sha256(retry_id.encode()).digest()
        moved = await repository.advance(
            claims.session_id,
            claims.generation,
            retry_hash=retry_hash,
            now=now,
            rotated_at=_to_the_second(now),
            expires_at=self._expiry(now),
        )
        if moved is not None:
            if claims.session_key is None:
                return OpenSession(moved)
            lifetime = timedelta(seconds=self.tokens.access_seconds)
            key = await self._succeed(
                repository,
                moved,
                claims,
                replaced=claims.issued_at + lifetime,
                # Only who sent a retry_id may ask again. What a stolen token opens ends with the tokens of its time.
                repeated=now + lifetime if retry_hash is not None else None,
                now=now,
            )
            return SessionRevoked() if key is None else OpenSession(moved, key)
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
        ):
            if claims.session_key is None:
                return OpenSession(row)
            before = await repository.key(claims.session_id, claims.generation)
            if before is not None and before.successor is not None and before.expires_at > now:
                key = self.custodian.successor(claims.session_key, before.successor, claims.user_id, claims.session_id)
                if key is not None:
                    return OpenSession(row, key)
            return SessionRevoked()
        await repository.revoke(claims.session_id)
        return RefreshTokenReused()

    async def renew(self, tx: Transaction, user_id: UUID, session_id: UUID, *, kek: bytes | None = None) -> OpenSession:
        """End every other session of an account, and give this one its next tokens.

        Arguments:
            kek: the new key-encryption key of a uce account; what the session had of the old one is forgotten.

        Raises:
            SessionRevoked: this one has ended too.
        """
        now = self.clock()
        repository = SessionRepository(tx.session, user_id)
        await delete_all(tx, user_id, but=session_id)
        moved = await repository.advance(
            session_id, None, retry_hash=None, now=now, rotated_at=_to_the_second(now), expires_at=self._expiry(now)
        )
        if moved is None:
            raise SessionRevoked
        await repository.delete_keys(session_id)
        return OpenSession(moved, await self._issue(repository, moved, kek))

    async def _issue(self, repository: SessionRepository, row: Session, kek: bytes | None) -> bytes | None:
        """Give a generation of a session its key, if its account is in uce."""
        if kek is None:
            return None
        issued = self.custodian.issue(kek, row.user_id, row.session_id)
        await repository.add_key(row.session_id, row.generation, issued.sealed_kek, expires_at=row.expires_at)
        return issued.session_key

    async def _succeed(
        self,
        repository: SessionRepository,
        row: Session,
        claims: RefreshClaims,
        *,
        replaced: datetime,
        repeated: datetime | None,
        now: datetime,
    ) -> bytes | None:
        """Give the next generation of a uce session its key.

        Arguments:
            replaced: when the access token of the generation before expires. It keeps its key until then.
            repeated: until when the answer is given again to who asks again, and the key is kept for it; None: never.
        """
        assert claims.session_key is not None
        before = await repository.key(claims.session_id, claims.generation)
        if before is None:
            return None
        issued = self.custodian.succeed(claims.session_key, before.sealed_kek, claims.user_id, claims.session_id)
        if issued is None:
            return None
        await repository.add_key(row.session_id, row.generation, issued.sealed_kek, expires_at=row.expires_at)
        await repository.succeed_key(
            row.session_id,
            claims.generation,
            successor=issued.successor if repeated is not None else None,
            expires_at=replaced if repeated is None else max(replaced, repeated),
            replaced=replaced,
            now=now,
        )
        return issued.session_key

    def _expiry(self, now: datetime) -> datetime:
        return _to_the_second(now) + timedelta(seconds=self.tokens.refresh_seconds)


async def device_names(session: AsyncSession, user_id: UUID, *, now: datetime) -> dict[UUID, str | None]:
    """Return what the devices that are signed in are called, by their sessions."""
    return await SessionRepository(session, user_id).device_names(now)


async def list_all(session: AsyncSession, user_id: UUID, current: UUID, paging: Paging, *, now: datetime) -> Sessions:
    """Return a page of the devices that are signed in, latest used first.

    Raises:
        InvalidCursor: the cursor is not of this list.
    """
    window = paging.window("sessions", user_id, datetime, UUID)
    page = await SessionRepository(session, user_id).page(window, now=now)
    return Sessions(
        items=tuple(
            SessionBody(
                id=row.session_id,
                device_id=row.device_id,
                device_name=row.device_name,
                scope=row.scope,
                created_at=row.created_at,
                last_used_at=row.last_used_at,
                expires_at=row.expires_at,
                opened_with=None if row.opened_with is None else tuple(row.opened_with.split()),
                current=row.session_id == current,
            )
            for row in page.items
        ),
        **window.answer(page),
    )


async def end(tx: Transaction, user_id: UUID, session_id: UUID) -> None:
    """Sign a device out at once.

    Raises:
        NotFound: the account has no such session.
    """
    if not await SessionRepository(tx.session, user_id).delete(session_id):
        raise NotFound
    tx.wake(user_id)  # live streams look whether their session is still there


async def delete_all(tx: Transaction, user_id: UUID, *, but: UUID | None = None) -> None:
    """Sign every device out, or every one ``but`` one."""
    await SessionRepository(tx.session, user_id).delete_all(but=but)
    tx.wake(user_id)  # live streams look whether their session is still there


def _to_the_second(now: datetime) -> datetime:
    # Tokens count seconds: made again from the row, they must be the same tokens.
    return now.replace(microsecond=0)
