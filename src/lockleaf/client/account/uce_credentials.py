"""Changing what opens an account in user-controlled encryption: the server does it, and the device checks what it did.

A change whose answer was lost is looked for at once. What is not found out then, the next sync finds: it asks to log in
again, with the password that holds by then, and the login brings the keyring.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TypeVar

from pydantic import BaseModel

from lockleaf.client.account import deletion, privacy_tiers, uce_keyring
from lockleaf.client.account.enrolment_steps import AccountPlace, check_public_keys, enrol
from lockleaf.client.account.epoch_end import CatchUp
from lockleaf.client.account.key_checks import check_keys, fetch_account, may_have_been_accepted
from lockleaf.client.account.recovery_codes import RecoveryCodes
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountMismatch,
    CustodyMismatch,
    InvalidAnswer,
    InvalidCredentials,
    KeyringRolledBack,
    KeysChangedElsewhere,
    KeySubstituted,
    LockleafError,
    PasswordUnsuitable,
    RecoveryCodesUnconfirmed,
    SealBroken,
    WrongPassword,
)
from lockleaf.client.media.media_rotation import begin_media_rotation
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.crypto import identity
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.accounts import Account
from lockleaf.wire.credentials import KeyringReplacement, KeyringVersion, PasswordChange
from lockleaf.wire.recovery import RecoveryCodesLeft, RecoveryCodesReplacement
from lockleaf.wire.tokens import Tokens

__all__ = ["change_password", "current_secret", "delete_account", "new_recovery_codes", "rotate_keyring"]

M = TypeVar("M", bound=BaseModel)


async def change_password(device: Device, old: str, new: str) -> None:
    """Have the keyring wrapped under a new password; see `AccountService.change_password`."""
    sent = uce_keyring.sendable(new)
    version = (await _prove(device, old)).keyring_version + 1
    body = PasswordChange(current_password=uce_keyring.sendable(old), password=sent)
    try:
        tokens = await _send(device, "PUT", "/auth/password", body, Tokens)
    except LockleafError as error:
        if may_have_been_accepted(error):
            with suppress(LockleafError):
                await _enter_again(device, new, version)
                return
        raise
    device.session.transport.tokens.save(SessionTokens.of(tokens))
    await _take_over(device, await fetch_account(device), new, version)


async def _enter_again(device: Device, password: str, version: int, *, rotated: bool = False) -> None:
    """Find out whether a new password is in force by logging in with it: the tokens of before open nothing then."""
    session = device.session
    place = AccountPlace(session.profile.server, session.profile.login_name, session.profile.device_name, "uce")
    answer = await enrol(session.transport, place, uce_keyring.sendable(password), session.profile.device_id)
    session.transport.tokens.save(SessionTokens.of(answer))
    await _take_over(device, answer.user, password, version, rotated=rotated)


async def rotate_keyring(
    device: Device, password: str, new_password: str, *, sync: CatchUp, media: bool
) -> RecoveryCodes:
    """Have a fresh master key added to the keyring; see `AccountService.rotate_keyring`."""
    if (await privacy_tiers.show(device)).current_tier == "full_sync":
        # What waits here is sealed under the key that is about to be retired.
        await sync()
    version = (await _prove(device, password)).keyring_version + 1
    sent = uce_keyring.sendable(new_password)
    body = KeyringReplacement(current_password=uce_keyring.sendable(password), password=sent)
    try:
        answer = await _send(device, "PUT", "/auth/keyring", body, KeyringVersion)
    except LockleafError as error:
        if may_have_been_accepted(error):
            with suppress(LockleafError):
                await _enter_again(device, new_password, version, rotated=True)
                await asyncio.to_thread(begin_media_rotation, device.opened.store, wanted=media)
                # Its codes are lost with its answer, so nobody can use them: others take their place.
                return await new_recovery_codes(device, new_password)
        raise
    if answer.tokens is None:
        raise InvalidAnswer
    device.session.transport.tokens.save(SessionTokens.of(answer.tokens))
    await _take_over(device, await fetch_account(device), new_password, version, rotated=True)
    await asyncio.to_thread(begin_media_rotation, device.opened.store, wanted=media)
    if answer.keyring_version != version:
        raise InvalidAnswer
    return uce_keyring.drawn_codes(answer.recovery_codes)


async def new_recovery_codes(device: Device, password: str) -> RecoveryCodes:
    """Have new recovery codes drawn; see `AccountService.new_recovery_codes`."""
    await _prove(device, password)
    body = RecoveryCodesReplacement(current_password=uce_keyring.sendable(password))
    try:
        answer = await _send(device, "POST", "/auth/recovery-codes", body, RecoveryCodesLeft)
    except LockleafError as error:
        if may_have_been_accepted(error):
            raise RecoveryCodesUnconfirmed from None
        raise
    return uce_keyring.drawn_codes(answer.recovery_codes)


async def delete_account(device: Device, password: str) -> None:
    """Delete the account at the server; see `AccountService.delete`."""
    await _prove(device, password)
    await deletion.delete(device, uce_keyring.sendable(password))


async def current_secret(device: Device, password: str) -> str:
    """Return the password as it is sent, once it is known to be the account's: one that was mistyped goes nowhere."""
    await _prove(device, password)
    return uce_keyring.sendable(password)


async def _prove(device: Device, password: str) -> Account:
    """Check a password here before it is sent: one that was mistyped goes nowhere.

    Raises:
        WrongPassword: it does not open the account's keyring.
        KeySubstituted: the keyring that it opens is not this device's.
    """
    account = await check_keys(device)
    try:
        uce_keyring.sendable(password)
        keyring = await uce_keyring.open_account(account, password)
    except (SealBroken, PasswordUnsuitable):
        raise WrongPassword from None
    if keyring != device.session.keyring:
        raise KeySubstituted
    return account


async def _send(device: Device, method: str, path: str, body: BaseModel, answer: type[M]) -> M:
    """Send a change once: accepted the first time, it would be refused, or done again, the second time."""
    try:
        return await device.session.transport.request(method, path, body=body, answer=answer, retry=False)
    except InvalidCredentials:
        raise WrongPassword from None


async def _take_over(device: Device, account: Account, password: str, version: int, *, rotated: bool = False) -> None:
    """Remember what the server made of the keyring, once it is what was asked for.

    Args:
        account: the server's word after the change.
        password: what opens its keyring now.
        version: the version that the change makes.
        rotated: the keyring gained one key; otherwise it is the same.

    Raises:
        KeySubstituted: it made something else.
        KeyringRolledBack, KeysChangedElsewhere, AccountMismatch, CustodyMismatch, SealBroken: as their names say.
    """
    session = device.session
    profile, before = session.profile, session.keyring
    if account.id != profile.user_id:
        raise AccountMismatch
    if account.encryption_tier != profile.custody:
        raise CustodyMismatch
    if account.keyring_version < version:
        raise KeyringRolledBack
    if account.keyring_version > version:
        raise KeysChangedElsewhere
    keyring = await uce_keyring.open_account(account, password)
    check_public_keys(account, keyring)
    if rotated:
        _check_rotation(account, before, keyring)
        await device.adopt_keyring(keyring)
    elif keyring != before:
        raise KeySubstituted
    newest = keyring.newest
    device.remember(
        profile.model_copy(
            update={
                "keyring_version": version,
                "recipient": newest.recipient,
                "signing_key": newest.public_signing_key,
            }
        )
    )


def _check_rotation(account: Account, before: Keyring, after: Keyring) -> None:
    """Check that a keyring gained one key and lost none, and that the old signing key vouches for the new pair."""
    newest = after.newest
    message = identity.rotation_message(
        str(account.id), account.keyring_version, newest.recipient, newest.public_signing_key
    )
    vouched = identity.verify(before.newest.public_signing_key, message, account.rotation_signature or b"")
    if len(after) != len(before) + 1 or not after.extends(before) or not vouched:
        raise KeySubstituted
