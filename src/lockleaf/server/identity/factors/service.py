"""The rules of second factors: asking for one, and what may answer.

Everything here happens in the transaction of what it is asked for, with the account locked: of two requests with the
same code one finds it used. Where that request fails for another reason, its code and its challenge are not used up.
What is refused here is committed nevertheless: a wrong code stays counted.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.factors import factor_codes, totp
from lockleaf.server.identity.factors.errors import (
    InvalidFactor,
    SecondFactorRequired,
    TooManyFactorAttempts,
    TooManyFactors,
)
from lockleaf.server.identity.factors.models import Factor
from lockleaf.server.identity.factors.repository import FactorRepository
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.transaction import CommitThenRefuse, Transaction
from lockleaf.server.platform.errors import NotFound
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.sealed_bytes import Sealer, Unopened, framed
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import FactorSettings
from lockleaf.wire import factors as bodies
from lockleaf.wire.factors import AnswerKind, FactorAnswer, FactorBegun, FactorConfirmation, FactorConfirmed

__all__ = ["Purpose", "SecondFactors", "delete_all", "place_of", "sealer_of"]

Purpose = Literal["login", "password", "keyring", "recovery_codes", "recovery", "privacy", "deletion", "factors"]
"""What a factor is asked for. A challenge of one purpose answers no other."""

MOST = 8
_FREE = 5
"""So many wrong codes in a row cost nothing but themselves: people mistype."""
_FIRST_WAIT = timedelta(minutes=1)
"""It doubles with each wrong code; clients try again by themselves after less."""
_LONGEST_WAIT = timedelta(days=1)


def sealer_of(keys: ServerKeys) -> Sealer:
    """Return what seals the secrets of authenticator apps."""
    return Sealer(keys.accepted("factor"), b"lockleaf/1/factor-key", b"lockleaf/1/factor-aad")


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """The second factors of all accounts.

    Args:
        settings: how long a challenge is good for, and what apps call this server.
    """

    clock: Clock
    sealer: Sealer = field(repr=False)
    settings: FactorSettings

    # ---- asking ----

    async def require(
        self, tx: Transaction, user_id: UUID, answer: FactorAnswer | None, purpose: Purpose
    ) -> AnswerKind | None:
        """Return with what an account's factor was answered; None where the account has none.

        Whoever asks has found the secret right, has begun the transaction and locked the account, and has written
        nothing yet that a refusal must not leave behind.

        Raises:
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: by way of `CommitThenRefuse`.
        """
        repository = FactorRepository(tx.session, user_id)
        factors = await repository.confirmed()
        if not factors:
            return None
        if answer is None:
            raise await self._refusal(repository, purpose, SecondFactorRequired)
        now = self.clock()
        if answer.challenge is not None and not await repository.spend_challenge(
            _digest(answer.challenge), purpose, now
        ):
            raise await self._refusal(repository, purpose, InvalidFactor)
        assert answer.code is not None
        code = "".join(answer.code.split())
        if not totp.is_code(code):
            # 80 random bits need no wait to keep them from being guessed: an owner does not wait because of a thief.
            found = factor_codes.digest(user_id, code)
            if found is None or not await repository.spend_code(found):
                raise await self._refusal(repository, purpose, InvalidFactor)
            return "code"
        await self._require_no_wait(repository, now)
        for factor in factors:
            if await self._fits(repository, factor, code, now):
                await repository.forget_wrong()
                return "totp"
        await self._note_wrong(repository, now)
        raise await self._refusal(repository, purpose, InvalidFactor)

    async def is_on(self, session: AsyncSession, user_id: UUID) -> bool:
        """Tell whether an account has a second factor."""
        return await FactorRepository(session, user_id).is_on()

    async def _refusal(
        self,
        repository: FactorRepository,
        purpose: Purpose,
        refused: type[SecondFactorRequired] | type[InvalidFactor],
    ) -> CommitThenRefuse:
        now, challenge = self.clock(), urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        lifetime = timedelta(minutes=self.settings.challenge_minutes)
        await repository.add_challenge(_digest(challenge), purpose, now=now, expires_at=now + lifetime)
        kinds = sorted({factor.kind for factor in await repository.confirmed()})
        if await repository.codes_left():
            kinds.append("code")
        return CommitThenRefuse(refused(kinds=kinds, challenge=challenge, expires_in=int(lifetime.total_seconds())))

    # ---- codes of an app ----

    async def _fits(self, repository: FactorRepository, factor: Factor, code: str, now: datetime) -> bool:
        if factor.sealed is None:
            return False
        place = place_of(factor.user_id, factor.factor_id)
        try:
            secret = self.sealer.open(place, factor.sealed)
        except Unopened:  # the server's secrets were lost: other factors and factor codes are good still
            return False
        step = totp.matching_step(secret.decode(), code, now, after=factor.last_step)
        if step is None or not await repository.accept_step(factor.factor_id, step, now):
            return False
        if not self.sealer.is_current(place, factor.sealed):
            await repository.reseal(factor.factor_id, self.sealer.seal(place, secret))
        return True

    async def _require_no_wait(self, repository: FactorRepository, now: datetime) -> None:
        attempts = await repository.attempts()
        if attempts is not None and attempts.blocked_until > now:
            left = attempts.blocked_until - now
            raise TooManyFactorAttempts(retry_after=int(left.total_seconds()) + 1)

    async def _note_wrong(self, repository: FactorRepository, now: datetime) -> None:
        attempts = await repository.attempts()
        wrong = 1 if attempts is None else attempts.wrong + 1
        wait = timedelta(0) if wrong < _FREE else min(_FIRST_WAIT * 2 ** min(wrong - _FREE, 32), _LONGEST_WAIT)
        await repository.note_wrong(wrong, now + wait)

    # ---- adding and removing ----

    async def list(self, session: AsyncSession, user_id: UUID) -> bodies.Factors:
        """Return an account's factors, its unspent codes, and how many wrong codes were sent."""
        repository = FactorRepository(session, user_id)
        factors = await repository.confirmed()
        attempts = await repository.attempts()
        waiting = attempts is not None and attempts.blocked_until > self.clock()
        return bodies.Factors(
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
        """
        repository = FactorRepository(session, user_id)
        if len(await repository.confirmed()) >= MOST:
            raise TooManyFactors(limit=MOST)
        now = self.clock()
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

    async def confirm(
        self, session: AsyncSession, user_id: UUID, factor_id: UUID, body: FactorConfirmation
    ) -> FactorConfirmed:
        """Let a factor count, once it has answered; with the first one of an account, draw its factor codes.

        Raises:
            NotFound: no such factor was begun.
            InvalidFactor, TooManyFactorAttempts: the code is wrong; by way of `CommitThenRefuse`.
        """
        repository = FactorRepository(session, user_id)
        factor = await repository.begun(factor_id)
        if factor is None:
            raise NotFound
        now = self.clock()
        await self._require_no_wait(repository, now)
        code = "".join((body.code or "").split())
        if not totp.is_code(code) or not await self._fits(repository, factor, code, now):
            await self._note_wrong(repository, now)
            raise await self._refusal(repository, "factors", InvalidFactor)
        is_first = not await repository.is_on()
        factor.confirmed_at = now
        await session.flush()
        await repository.forget_wrong()
        codes = await self._draw_codes(repository) if is_first else None
        await session.refresh(factor)
        return FactorConfirmed(factor=_shown(factor), codes=codes)

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


def place_of(user_id: UUID, factor_id: UUID) -> bytes:
    """Return what a secret of an app is sealed for."""
    return framed(user_id.bytes, factor_id.bytes)


def _digest(challenge: str) -> bytes:
    return sha256(challenge.encode()).digest()
