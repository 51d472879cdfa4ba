"""Deleting the account at the server, and what becomes of this device then: its journal stays, and opens here alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from lockleaf.client.account.sessions import AccountPlace, enrol, may_have_been_accepted
from lockleaf.client.device.device import Device
from lockleaf.client.errors import InvalidCredentials, LockleafError, WrongPassword
from lockleaf.client.transport.second_factor import answered
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.wire.accounts import AccountDeletion
from lockleaf.wire.factors import FactorAnswer

__all__ = ["delete"]


async def delete(device: Device, secret: str) -> None:
    """Delete the account, and remember that it is gone.

    Args:
        device: logged in.
        secret: what proves the password to the server, found to be right already.

    Raises:
        WrongPassword: the server does not take the secret.
        ApiError, TransportError: nothing was deleted, or it is not known whether it was.
    """
    session = device.session

    async def send(factor: FactorAnswer | None) -> None:
        body = AccountDeletion(current_password=secret, factor=factor)
        # Once: deleted the first time, it would be refused the second time.
        await session.transport.command("DELETE", "/users/me", body=body, retry=False)

    try:
        await answered(session.transport, send)
    except InvalidCredentials:
        raise WrongPassword from None
    except LockleafError as error:
        if not may_have_been_accepted(error) or not await _is_gone(device, secret):
            raise
    session.tokens.clear()
    device.remember(replace(session.profile, account_deleted=True))


async def _is_gone(device: Device, secret: str) -> bool:
    """Find out whether an account whose deletion was not answered is there: with its secret nobody else logs in."""
    session = device.session
    try:
        answer = await enrol(session.transport, AccountPlace.of(session.profile), secret, session.profile.device_id)
    except InvalidCredentials:
        return True
    except LockleafError:
        return False
    with suppress(LockleafError):
        session.tokens.save(SessionTokens.of(answer))
    return False
