"""The rules of second factors: which an account has, adding and removing them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.factors import factor_codes, passkeys, totp
from lockleaf.server.identity.factors.errors import (
    InvalidFactor,
    InvalidPasskey,
    PasskeysNotConfigured,
    TooManyFactors,
)
from lockleaf.server.identity.factors.models import Factor
from lockleaf.server.identity.factors.proofs import FactorProofs, place_of, text_of
from lockleaf.server.identity.factors.repository import FactorRepository
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.errors import NotFound
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.wire import factors as bodies
from lockleaf.wire.factors import FactorBegun, FactorConfirmation, FactorConfirmed

__all__ = ["SecondFactors", "delete_all"]

MOST = 8


@dataclass(frozen=True, slots=True)
class SecondFactors(FactorProofs):
    """The second factors of all accounts."""

    async def list(self, session: AsyncSession, user_id: UUID) -> bodies.FactorList:
        """Return an account's factors, its unspent codes, and how many wrong codes were sent."""
        repository = FactorRepository(session, user_id)
        factors = await repository.confirmed()
        attempts = await repository.attempts()
        waiting = attempts is not None and attempts.blocked_until > self.clock()
        return bodies.FactorList(
            items=tuple(map(_shown, factors)),
            codes_left=await repository.codes_left(),
            wrong_codes=0 if attempts is None else attempts.wrong,
            retry_at=attempts.blocked_until if attempts is not None and waiting else None,
        )

    async def begin(
        self, session: AsyncSession, user_id: UUID, login_name: str, body: bodies.NamedFactor
    ) -> FactorBegun:
        """Make a factor that counts once it is confirmed; another one that was begun is forgotten.

        Raises:
            TooManyFactors: the account has as many as one can have.
            PasskeysNotConfigured: this server has no address that one could be bound to.
        """
        repository = FactorRepository(session, user_id)
        factors = await repository.confirmed()
        if len(factors) >= MOST:
            raise TooManyFactors(limit=MOST)
        now = self.clock()
        if body.kind == "passkey":
            return await self._begin_passkey(repository, factors, login_name, body, now)
        factor_id, secret = uuid7(now), totp.new_secret()
        sealed = self.sealer.seal(place_of(user_id, factor_id), secret.encode())
        await repository.add(
            Factor(
                user_id=user_id,
                factor_id=factor_id,
                kind=body.kind,
                name=body.name,
                sealed=sealed,
                last_step=0,
                created_at=now,
            )
        )
        shown = bodies.TotpSecret(secret=secret, uri=totp.uri(secret, login_name, self.settings.issuer))
        return FactorBegun(id=factor_id, kind=body.kind, totp=shown)

    async def _begin_passkey(
        self,
        repository: FactorRepository,
        factors: Sequence[Factor],
        login_name: str,
        body: bodies.NamedFactor,
        now: datetime,
    ) -> FactorBegun:
        if self.party is None:
            raise PasskeysNotConfigured
        user_id, factor_id, challenge = repository.user_id, uuid7(now), secrets.token_bytes(32)
        await repository.add(
            Factor(
                user_id=user_id,
                factor_id=factor_id,
                kind=body.kind,
                name=body.name,
                last_step=0,
                challenge=challenge,
                created_at=now,
            )
        )
        options = bodies.PasskeyOptions(
            rp_id=self.party.id,
            rp_name=self.settings.issuer,
            user_id=user_id.bytes,
            user_name=login_name,
            challenge=text_of(challenge),
            algorithms=passkeys.ALGORITHMS,
            exclude=tuple(each.credential_id for each in factors if each.credential_id is not None),
        )
        return FactorBegun(id=factor_id, kind=body.kind, passkey=options)

    async def confirm(
        self, session: AsyncSession, user_id: UUID, factor_id: UUID, body: FactorConfirmation
    ) -> FactorConfirmed:
        """Let a factor count, once it has answered; with the first one of an account, draw its factor codes.

        Raises:
            NotFound: no such factor was begun.
            InvalidFactor, TooManyFactorAttempts: the code is wrong; by way of `CommitThenRefuse`.
            InvalidPasskey: the passkey is not for this server, challenge or account.
        """
        repository = FactorRepository(session, user_id)
        factor = await repository.begun(factor_id)
        if factor is None:
            raise NotFound
        now = self.clock()
        if factor.kind == "passkey":
            await self._take_passkey(repository, factor, body.passkey, now)
        else:
            await self._check_code(repository, factor, body.code or "", now)
        is_first = not await repository.is_on()
        factor.confirmed_at = now
        await session.flush()
        codes = await self._draw_codes(repository) if is_first else None
        await session.refresh(factor)
        return FactorConfirmed(factor=_shown(factor), codes=codes)

    async def _check_code(self, repository: FactorRepository, factor: Factor, given: str, now: datetime) -> None:
        await self._require_no_wait(repository, now)
        code = "".join(given.split())
        if not totp.is_code(code) or not await self._fits(repository, factor, code, now):
            await self._note_wrong(repository, now)
            raise await self._refusal(repository, "factors", InvalidFactor)
        await repository.forget_wrong()

    async def _take_passkey(
        self,
        repository: FactorRepository,
        factor: Factor,
        attestation: bodies.PasskeyAttestation | None,
        now: datetime,
    ) -> None:
        lifetime = timedelta(minutes=self.settings.challenge_minutes)
        if self.party is None or attestation is None or factor.challenge is None or factor.created_at + lifetime <= now:
            raise InvalidPasskey
        found = passkeys.made(self.party, factor.challenge, attestation)
        known = {each.credential_id for each in await repository.confirmed()}
        if found is None or found.credential_id in known:
            raise InvalidPasskey
        factor.credential_id, factor.public_key = found.credential_id, found.public_key
        factor.sign_count, factor.challenge = found.sign_count, None

    async def remove(self, session: AsyncSession, user_id: UUID, factor_id: UUID) -> None:
        """Remove a factor; with the last one go its factor codes.

        Raises:
            NotFound: the account has no such factor.
        """
        repository = FactorRepository(session, user_id)
        if not await repository.delete(factor_id):
            raise NotFound
        if not await repository.is_on():
            await repository.delete_all()

    async def replace_codes(self, session: AsyncSession, user_id: UUID) -> tuple[str, ...]:
        """Draw new factor codes in the place of those before.

        Raises:
            NotFound: the account has no factor that they could stand for.
        """
        repository = FactorRepository(session, user_id)
        if not await repository.is_on():
            raise NotFound
        return await self._draw_codes(repository)

    async def _draw_codes(self, repository: FactorRepository) -> tuple[str, ...]:
        codes = factor_codes.new_codes()
        digests = (factor_codes.digest(repository.user_id, code) for code in codes)
        await repository.replace_codes(digest for digest in digests if digest is not None)
        return codes


async def delete_all(tx: Transaction, user_id: UUID) -> int:
    """Delete what is held of an account's second factors, with the account."""
    await FactorRepository(tx.session, user_id).delete_all()
    return 0


def _shown(factor: Factor) -> bodies.Factor:
    return bodies.Factor.model_validate(
        {
            "id": factor.factor_id,
            "kind": factor.kind,
            "name": factor.name,
            "created_at": factor.created_at,
            "last_used_at": factor.last_used_at,
        }
    )
