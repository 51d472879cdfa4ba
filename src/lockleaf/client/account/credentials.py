"""Changing what opens an account: password, keyring, recovery codes."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeVar

from pydantic import BaseModel

from lockleaf.client.account import deletion, key_rotation
from lockleaf.client.account.custody import Credential, Custody, custody_of
from lockleaf.client.account.epoch_end import CatchUp, PresentEnd
from lockleaf.client.account.key_checks import check_keys
from lockleaf.client.account.key_rotation import KeyringAt, KeyringChange
from lockleaf.client.account.recovery_codes import RecoveryCodes, drawn_codes
from lockleaf.client.account.sessions import may_have_been_accepted
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    HistoryMoved,
    InvalidAnswer,
    InvalidCredentials,
    KeySubstituted,
    LockleafError,
    RecoveryCodesUnconfirmed,
    SealBroken,
    WrongPassword,
)
from lockleaf.client.transport.second_factor import answered
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.accounts import Account
from lockleaf.wire.credentials import Credentials, KeyringReplacement, KeyringVersion, PasswordChange
from lockleaf.wire.factors import FactorAnswer
from lockleaf.wire.recovery import RecoveryCodesLeft, RecoveryCodesReplacement
from lockleaf.wire.tokens import Tokens

__all__ = ["change_password", "current_secret", "delete_account", "new_recovery_codes", "rotate_keyring", "write_again"]

M = TypeVar("M", bound=BaseModel)


async def change_password(device: Device, old: str, new: str) -> None:
    """Put a new password in place; see `AccountService.change_password`."""
    account, present = await _prove(device, old)
    await _change_password(device, account, present, await _custody(device).fresh(device, new))


async def _change_password(
    device: Device, account: Account, present: Credential, fresh: Credential, version: int | None = None
) -> None:
    change = fresh.password_change(device, account, version or account.keyring_version + 1)
    body = PasswordChange(current_password=present.proof, password=fresh.proof, **change.fields)
    tokens = await _send(device, change, "/auth/password", body, Tokens)
    if tokens is not None:
        device.session.tokens.save(SessionTokens.of(tokens))
        await change.commit()


async def rotate_keyring(
    device: Device, password: str, new_password: str, *, sync: CatchUp, media: bool
) -> RecoveryCodes:
    """Add a fresh master key to the keyring; see `AccountService.rotate_keyring`."""
    await check_keys(device)
    if key_rotation.holds_codes(device):
        # With another password than that rotation's it is a further one that is asked for.
        with suppress(WrongPassword):
            await _prove(device, new_password)
            unseen = key_rotation.take_codes(device)
            assert unseen is not None
            return unseen

    def rotated(end: HistoryPlace) -> Keyring:
        return device.session.keyring.rotated(device.now(), end)

    codes = await _rotate(device, password, new_password, rotated, sync=sync, media=media)
    # Those that the server drew are lost with its answer, so nobody can use them: others take their place.
    return codes if codes is not None else await new_recovery_codes(device, new_password)


async def write_again(
    device: Device, password: str, newer: Keyring, highest: int, *, sync: CatchUp
) -> RecoveryCodes | None:
    """Write a newer keyring at a server that was put back to before it (PROTOCOL section 2).

    Args:
        device: logged in with the older keyring.
        password: the one that is in force there.
        newer: has every key of that keyring, and perhaps later ones; where its keys were retired in a history that is
            lost, they are retired at the present end.
        highest: the highest version that is known; the one to write is above it.
        sync: see `CatchUp`.

    Returns:
        The new recovery codes; None where no key was lost, so that the codes of before are good.

    Raises:
        IntegrityError, TransportError, ApiError, LocalStoreError: as for `AccountService.rotate_keyring`.
    """
    if len(newer) > len(device.session.keyring):
        # The key that writes there now did so until this moment, wherever it had been retired in the lost history.
        known = {entry.retired_at for entry in device.session.keyring}

        def retired_anew(end: HistoryPlace) -> Keyring:
            return newer.retired_anew(end, known=known.__contains__)

        return await _rotate(device, password, password, retired_anew, highest + 1, sync=sync)
    # A server that numbers the versions itself counts one a change.
    while device.session.profile.keyring_version <= highest:
        account, present = await _prove(device, password)
        fresh = await _custody(device).fresh(device, password)
        await _change_password(device, account, present, fresh, highest + 1)
    return None


async def _rotate(
    device: Device,
    password: str,
    new_password: str,
    keyring_at: KeyringAt,
    version: int | None = None,
    *,
    sync: CatchUp,
    media: bool = False,
) -> RecoveryCodes | None:
    """Write a keyring that retires keys at the end of the history, wherever that is by the time it is written.

    Returns:
        The new recovery codes; None where the server drew them and its answer was lost.
    """
    account, present = await _prove(device, password)
    fresh = await _custody(device).fresh(device, new_password)
    version = version or account.keyring_version + 1
    history = PresentEnd(device, sync)
    while True:
        end = await history.find()
        change = await fresh.rotation(device, account, keyring_at, version, end, media=media)
        body = KeyringReplacement(current_password=present.proof, password=fresh.proof, **change.fields)
        try:
            answer = await _send(device, change, "/auth/keyring", body, KeyringVersion)
            break
        except HistoryMoved as error:
            history.moved(error)
    if answer is not None:
        if answer.keyring_version != change.version or answer.tokens is None:
            raise InvalidAnswer
        device.session.tokens.save(SessionTokens.of(answer.tokens))
        await change.commit()
    key_rotation.take_codes(device)
    return change.codes if change.codes is not None or answer is None else drawn_codes(answer.recovery_codes)


async def new_recovery_codes(device: Device, password: str) -> RecoveryCodes:
    """Replace the recovery codes; see `AccountService.new_recovery_codes`."""
    account, present = await _prove(device, password)
    codes, fields = present.new_codes(device.session.keyring, account)
    transport = device.session.transport

    async def send(factor: FactorAnswer | None) -> RecoveryCodesLeft:
        body = RecoveryCodesReplacement(current_password=present.proof, factor=factor, **fields)
        # A set that was made here is the same set the second time, so trying again is safe.
        return await transport.request(
            "POST", "/auth/recovery-codes", body=body, answer=RecoveryCodesLeft, retry=codes is not None
        )

    try:
        answer = await answered(transport, send)
    except InvalidCredentials:
        raise WrongPassword from None
    except LockleafError as error:
        if may_have_been_accepted(error):
            raise RecoveryCodesUnconfirmed from None
        raise
    key_rotation.take_codes(device)
    return codes if codes is not None else drawn_codes(answer.recovery_codes)


async def delete_account(device: Device, password: str) -> None:
    """Delete the account at the server; see `AccountService.delete`."""
    _, present = await _prove(device, password)
    await deletion.delete(device, present.proof)


async def current_secret(device: Device, password: str) -> str:
    """Return what proves a password to the server; where that is the password itself, once it is known to be right."""
    custody = _custody(device)
    present = (await _prove(device, password))[1] if custody.sends_password else await custody.unlock(device, password)
    return present.proof


def _custody(device: Device) -> Custody:
    return custody_of(device.session.profile.custody)


async def _prove(device: Device, password: str) -> tuple[Account, Credential]:
    """Return the account and the credential of its password, once that opens the server's keyring.

    It is checked here and not only by the server: a password that was mistyped must not be sent, and a server that
    would accept anything must not get a keyring sealed under one, which would lock its user out everywhere else.

    Raises:
        WrongPassword: it does not open the account's keyring.
        KeySubstituted: the keyring that it opens is not this device's.
    """
    account = await check_keys(device)
    credential = await _custody(device).unlock(device, password)
    try:
        keyring = await credential.open(account)
    except SealBroken:
        raise WrongPassword from None
    if keyring != device.session.keyring:
        raise KeySubstituted
    return account, credential


async def _send(device: Device, change: KeyringChange, path: str, body: Credentials, answer: type[M]) -> M | None:
    """Send a change once; None when its answer was lost and it is known now that it was accepted.

    It is not sent twice: accepted the first time, it would be refused the second time, for its old secret.
    """
    change.prepare()
    transport = device.session.transport

    async def send(factor: FactorAnswer | None) -> M:
        request = body.model_copy(update={"factor": factor})
        return await transport.request("PUT", path, body=request, answer=answer, retry=False)

    try:
        return await answered(transport, send)
    except LockleafError as error:
        if not may_have_been_accepted(error):
            change.discard()
            if isinstance(error, InvalidCredentials):
                raise WrongPassword from None
            raise
        with suppress(LockleafError):
            if await change.settle():
                return None
        raise
