"""Adding and removing second factors: each changes what proves who one is.

So each needs the present secret, and a factor where the account has one already; and each ends every other session,
which may have been opened with less, or on a device that is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from lockleaf.server.identity.auth import sessions
from lockleaf.server.identity.auth.proving import Prover, still_proven
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.db.engine import ReadSession
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.wire.credentials import Credentials, FactorBeginning
from lockleaf.wire.factors import FactorBegun, FactorCodes, FactorConfirmation, FactorConfirmed

__all__ = ["FactorChanges"]


@dataclass(frozen=True, slots=True)
class FactorChanges:
    """Adds and removes second factors."""

    prover: Prover
    factors: SecondFactors

    async def begin(self, read: ReadSession, tx: Transaction, caller: Principal, body: FactorBeginning) -> FactorBegun:
        """Begin to add a factor, which counts once it is confirmed.

        Raises:
            InvalidCredentials: the current password is wrong.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
            TooManyFactors: the account has as many as one can have.
        """
        proven = await self.prover.prove(read, caller.user_id, body.current_password)
        account, _ = await self.prover.prove_whole(tx, proven, body.factor, "factors")
        return await self.factors.begin(tx.session, caller.user_id, account.email_shown, body)

    async def confirm(
        self, read: ReadSession, tx: Transaction, caller: Principal, factor_id: UUID, body: FactorConfirmation
    ) -> FactorConfirmed:
        """Let a factor count, once it has answered. Those that count were asked for when it was begun.

        Raises:
            InvalidCredentials: the current password is wrong.
            NotFound, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.confirm`.
        """
        await still_proven(tx, await self.prover.prove(read, caller.user_id, body.current_password))
        confirmed = await self.factors.confirm(tx.session, caller.user_id, factor_id, body)
        await sessions.delete_all(tx, caller.user_id, but=caller.session_id)
        return confirmed

    async def remove(
        self, read: ReadSession, tx: Transaction, caller: Principal, factor_id: UUID, body: Credentials
    ) -> None:
        """Remove a factor.

        Raises:
            InvalidCredentials: the current password is wrong.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
            NotFound: the account has no such factor.
        """
        proven = await self.prover.prove(read, caller.user_id, body.current_password)
        await self.prover.prove_whole(tx, proven, body.factor, "factors")
        await self.factors.remove(tx.session, caller.user_id, factor_id)
        await sessions.delete_all(tx, caller.user_id, but=caller.session_id)

    async def replace_codes(
        self, read: ReadSession, tx: Transaction, caller: Principal, body: Credentials
    ) -> FactorCodes:
        """Draw new factor codes in the place of those before.

        Raises:
            InvalidCredentials: the current password is wrong.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
            NotFound: the account has no second factor.
        """
        proven = await self.prover.prove(read, caller.user_id, body.current_password)
        await self.prover.prove_whole(tx, proven, body.factor, "factors")
        codes = await self.factors.replace_codes(tx.session, caller.user_id)
        await sessions.delete_all(tx, caller.user_id, but=caller.session_id)
        return FactorCodes(codes=codes)
