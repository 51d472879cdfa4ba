"""Asking for an account's second factor, and what may answer.

Everything here happens in the transaction of what it is asked for, with the account locked: of two requests with the
same code one finds it used. Where that request fails for another reason, its code and its challenge are not used up.
What is refused here is committed nevertheless: a wrong code stays counted.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.factors import factor_codes, passkeys, totp
from lockleaf.server.identity.factors.errors import InvalidFactor, SecondFactorRequired, TooManyFactorAttempts
from lockleaf.server.identity.factors.models import Factor
from lockleaf.server.identity.factors.passkeys import RelyingParty
from lockleaf.server.identity.factors.repository import FactorRepository
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.transaction import CommitThenRefuse, Transaction
from lockleaf.server.platform.sealed_bytes import Sealer, Unopened, framed
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import FactorSettings
from lockleaf.wire.factors import AnswerKind, FactorAnswer, FactorChallenge, PasskeyQuestion

__all__ = ["FactorProofs", "Purpose", "place_of", "sealer_of", "text_of"]

Purpose = Literal["login", "password", "keyring", "recovery_codes", "recovery", "privacy", "deletion", "factors"]
"""What a factor is asked for. A challenge of one purpose answers no other."""

_FREE = 5
"""So many wrong codes in a row cost nothing but themselves: people mistype."""
_FIRST_WAIT = timedelta(minutes=1)
"""It doubles with each wrong code; clients try again by themselves after less."""
_LONGEST_WAIT = timedelta(days=1)


def sealer_of(keys: ServerKeys) -> Sealer:
    """Return what seals the secrets of authenticator apps."""
    return Sealer(keys.accepted("factor"), b"lockleaf/1/factor-key", b"lockleaf/1/factor-aad")


@dataclass(frozen=True, slots=True)
class FactorProofs:
    """What proves that the owner of a factor is there.

    Args:
        settings: how long a challenge is good for, and what apps call this server.
        party: what passkeys are bound to; None where the server does not know its address.
    """

    clock: Clock
    sealer: Sealer = field(repr=False)
    settings: FactorSettings
    party: RelyingParty | None

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
        if answer.passkey is not None:
            if not await self._signs(repository, factors, answer, now):
                raise await self._refusal(repository, purpose, InvalidFactor)
            return "passkey"
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
        now, challenge = self.clock(), text_of(secrets.token_bytes(32))
        lifetime = timedelta(minutes=self.settings.challenge_minutes)
        await repository.add_challenge(_digest(challenge), purpose, now=now, expires_at=now + lifetime)
        factors = await repository.confirmed()
        credentials = tuple(each.credential_id for each in factors if each.credential_id is not None)
        kinds = sorted({factor.kind for factor in factors})
        if await repository.codes_left():
            kinds.append("code")
        passkey = None
        if self.party is not None and credentials:
            passkey = PasskeyQuestion(rp_id=self.party.id, credentials=credentials)
        seconds = int(lifetime.total_seconds())
        facts = FactorChallenge(kinds=tuple(kinds), challenge=challenge, expires_in=seconds, passkey=passkey)
        return CommitThenRefuse(refused(**facts.model_dump(mode="json", exclude_none=True)))

    async def _signs(
        self, repository: FactorRepository, factors: Sequence[Factor], answer: FactorAnswer, now: datetime
    ) -> bool:
        if self.party is None or answer.passkey is None or answer.challenge is None:
            return False
        found = passkeys.signed(self.party, _bytes_of(answer.challenge), answer.passkey, factors)
        return found is not None and await repository.accept_count(found[0].factor_id, found[1], now)

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


def place_of(user_id: UUID, factor_id: UUID) -> bytes:
    """Return what a secret of an app is sealed for."""
    return framed(user_id.bytes, factor_id.bytes)


def text_of(challenge: bytes) -> str:
    """Return a challenge as it travels: base64url without padding."""
    return urlsafe_b64encode(challenge).rstrip(b"=").decode()


def _bytes_of(challenge: str) -> bytes:
    return urlsafe_b64decode(challenge + "=")


def _digest(challenge: str) -> bytes:
    return sha256(challenge.encode()).digest()
