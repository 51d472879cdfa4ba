"""How a device comes to an account in user-controlled encryption. The caller chose it: the password is sent."""

from __future__ import annotations

import uuid

from pydantic import ValidationError

from lockleaf.client.account import uce_credentials, uce_keyring
from lockleaf.client.account.enrolment_steps import (
    AccountPlace,
    check_account,
    check_public_keys,
    check_remembered,
    ended_on_failure,
    enrol,
    enrol_own,
    new_profile,
)
from lockleaf.client.account.recovery_codes import RecoveryCodes, open_with_code
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountMismatch,
    CustodyMismatch,
    EmailTaken,
    IdTaken,
    InvalidAnswer,
    InvalidCredentials,
    KeyringRolledBack,
    KeySubstituted,
    LockleafError,
    PasswordUnsuitable,
    WrongPassword,
)
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.transport.tokens import MemoryTokens, SessionTokens
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.account_fields import PrivacyTier
from lockleaf.wire.accounts import Account, Signup, SignupAnswer
from lockleaf.wire.recovery import Recover
from lockleaf.wire.tokens import Tokens

__all__ = ["login", "recover", "register"]


async def register(device: Device, place: AccountPlace, password: str, *, privacy_tier: PrivacyTier) -> RecoveryCodes:
    """Make an account whose keys the server makes, and take it over; see `AccountService.register`."""
    device.require_vacant()
    sent = uce_keyring.sendable(password)
    user_id, device_id = uuid.uuid4(), str(uuid.uuid4())
    tokens = MemoryTokens()
    transport = device.connect(place.server, tokens, allow_insecure=place.allow_insecure)
    try:
        body = Signup(
            **place.identification,
            password=sent,
            encryption_tier="uce",
            id=user_id,
            display_name=place.display_name,
            privacy_tier=privacy_tier,
            device_name=place.device_name,
            device_id=device_id,
        )
        answer: Tokens
        shown: tuple[str, ...] | None = None
        try:
            made = await transport.request("POST", "/auth/signup", body=body, answer=SignupAnswer, authenticated=False)
            if made.id != user_id:
                raise AccountMismatch
            if made.encryption_tier != "uce":
                raise CustodyMismatch
            answer, shown = made, made.recovery_codes
        except (EmailTaken, IdTaken):
            # The first attempt may have been accepted and only its answer lost: then the account has our id.
            entered = await enrol_own(transport, place, sent, device_id)
            if entered is None or entered.user.id != user_id:
                raise
            answer = entered
        tokens.save(SessionTokens.of(answer))
        async with ended_on_failure(transport):
            account = await transport.request("GET", "/auth/me", answer=Account)
            if account.id != user_id:
                raise AccountMismatch
            keyring = await _open(account, password, place, None)
            codes = uce_keyring.drawn_codes(shown) if shown is not None else None
            profile = new_profile(transport, place, user_id, device_id, account.keyring_version, keyring)
            await device.adopt(profile, keyring, SessionTokens.of(answer), password)
    finally:
        await transport.aclose()
    # Codes are shown once, and theirs was the answer that was lost.
    return codes if codes is not None else await uce_credentials.new_recovery_codes(device, password)


async def login(
    device: Device, place: AccountPlace, password: str, *, remembered: Profile | None, newer: Keyring | None = None
) -> None:
    """Log in and take the account over; see `AccountService.login`.

    Args:
        newer: a keyring with the account's keys, which may then be of an older version than is remembered.
    """
    try:
        sent = uce_keyring.sendable(password)
    except PasswordUnsuitable:
        raise WrongPassword from None
    tokens = MemoryTokens()
    transport = device.connect(place.server, tokens, allow_insecure=place.allow_insecure)
    try:
        device_id = remembered.device_id if remembered else str(uuid.uuid4())
        try:
            answer = await enrol(transport, place, sent, device_id)
        except InvalidCredentials:
            raise WrongPassword from None
        tokens.save(SessionTokens.of(answer))
        async with ended_on_failure(transport):
            keyring = await _open(answer.user, password, place, remembered, newer)
            profile = new_profile(
                transport,
                place,
                answer.user.id,
                device_id,
                answer.user.keyring_version,
                keyring,
                remembered=remembered,
            )
            await device.adopt(profile, keyring, SessionTokens.of(answer), password, older=newer is not None)
    finally:
        await transport.aclose()


async def recover(
    device: Device, place: AccountPlace, code: str, new_password: str, *, remembered: Profile | None
) -> None:
    """Set a new password with a recovery code and take the account over; see `AccountService.recover`."""
    sent = uce_keyring.sendable(new_password)
    tokens = MemoryTokens()
    transport = device.connect(place.server, tokens, allow_insecure=place.allow_insecure)
    try:
        opened = await open_with_code(transport, place.login_name, code, custody="uce")
        if remembered is not None:
            check_remembered(remembered, opened.user_id, opened.current_version)
        device_id = remembered.device_id if remembered else str(uuid.uuid4())
        try:
            body = Recover(
                recovery_token=opened.recovery_token,
                password=sent,
                device_name=place.device_name,
                device_id=device_id,
            )
        except ValidationError:
            raise InvalidAnswer from None  # the token, which came from the server
        answer: Tokens
        try:
            answer = await transport.request("POST", "/auth/recover", body=body, answer=Tokens, authenticated=False)
        except LockleafError:
            # It may have been accepted and only its answer lost: then the new password logs in.
            entered = await enrol_own(transport, place, sent, device_id)
            if entered is None:
                raise
            answer = entered
        tokens.save(SessionTokens.of(answer))
        async with ended_on_failure(transport):
            account = await transport.request("GET", "/auth/me", answer=Account)
            if account.id != opened.user_id:
                raise AccountMismatch
            if account.keyring_version <= opened.current_version:
                raise KeyringRolledBack
            keyring = await _open(account, new_password, place, remembered)
            if keyring != opened.keyring:
                raise KeySubstituted
            profile = new_profile(
                transport,
                place,
                account.id,
                device_id,
                account.keyring_version,
                keyring,
                remembered=remembered,
            )
            await device.adopt(profile, keyring, SessionTokens.of(answer), new_password)
    finally:
        await transport.aclose()


async def _open(
    account: Account, password: str, place: AccountPlace, remembered: Profile | None, newer: Keyring | None = None
) -> Keyring:
    """Return the keyring of an account that has just been entered, once nothing contradicts what is known here.

    Raises:
        AccountMismatch, CustodyMismatch, KeyringRolledBack, KeyringMissing, SealBroken, KeySubstituted: as their
            names say.
    """
    check_account(account, place, remembered, older=newer is not None)
    keyring = await uce_keyring.open_account(account, password)
    check_public_keys(account, keyring)
    if newer is not None and keyring != newer:
        raise KeyringRolledBack(
            "keys were lost at the server, which makes them for this account and takes none from a device. Every text"
            " is here: lockleaf export FOLDER --revisions --deleted writes all that this device has and names what only"
            " the server had, and lockleaf import FOLDER takes it in where another profile has logged in anew"
        )
    return keyring
