"""How a device comes to an end-to-end encrypted account: by registering, by logging in, or by a recovery code."""

from __future__ import annotations

import asyncio
import uuid

from pydantic import ValidationError

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
from lockleaf.client.account.link_codes import (
    LinkCode,
    link_checkpoint,
    require_account,
    require_keyring,
    require_parameters,
)
from lockleaf.client.account.recovery_codes import RecoveredKeyring, RecoveryCodes, new_recovery_set, open_with_code
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
    SealBroken,
    WrongPassword,
)
from lockleaf.client.keychain.password_keys import kdf_from_wire, kdf_to_wire, login_floor, unlock
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.tokens import MemoryTokens, SessionTokens
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.kdf import KdfParameters, KdfProfile, PasswordKeys
from lockleaf.crypto.keyring import PASSWORD_LABEL, Keyring, open_keyring, seal_keyring
from lockleaf.wire.account_fields import PrivacyTier
from lockleaf.wire.accounts import Account, Signup, SignupAnswer
from lockleaf.wire.recovery import Recover
from lockleaf.wire.sessions import Prelogin, PreloginAnswer
from lockleaf.wire.tokens import Tokens

__all__ = ["login", "recover", "register"]


async def register(
    device: Device, place: AccountPlace, password: str, *, privacy_tier: PrivacyTier, kdf_profile: KdfProfile
) -> RecoveryCodes:
    """Make an account with keys made here, and take it over; see `AccountService.register`."""
    device.require_vacant()
    tokens = MemoryTokens()
    transport = device.connect(place.server, tokens, allow_insecure=place.allow_insecure)
    try:
        user_id = uuid.uuid4()
        device_id = str(uuid.uuid4())
        params = kdf_profile.new()
        keys = await _derive(device, place, password, params)
        keyring = Keyring.new(device.now())
        codes, entries = new_recovery_set(keyring, user_id, 1)
        body = Signup(
            **place.identification,
            password=keys.auth_secret_b64,
            encryption_tier=place.custody,
            id=user_id,
            display_name=place.display_name,
            privacy_tier=privacy_tier,
            kdf=kdf_to_wire(params),
            keyring=_seal(keyring, keys, user_id, 1),
            recipient=keyring.newest.recipient,
            signing_key=keyring.newest.public_signing_key,
            recovery=entries,
            device_name=place.device_name,
            device_id=device_id,
        )
        answer: Tokens
        try:
            made = await transport.request("POST", "/auth/signup", body=body, answer=SignupAnswer, authenticated=False)
            if made.id != user_id:
                raise AccountMismatch
            if made.encryption_tier != place.custody:
                raise CustodyMismatch
            answer = made
        except (EmailTaken, IdTaken):
            # The first attempt may have been accepted and only its answer lost: then the account has our id and our
            # secret, which nobody else can have.
            entered = await enrol_own(transport, place, keys.auth_secret_b64, device_id)
            if entered is None or entered.user.id != user_id:
                raise
            answer = entered
        profile = new_profile(transport, place, user_id, device_id, 1, keyring, kdf=kdf_to_wire(params))
        await device.adopt(profile, keyring, SessionTokens.of(answer), password)
    finally:
        await transport.aclose()
    return codes


async def login(
    device: Device,
    place: AccountPlace,
    password: str,
    *,
    remembered: Profile | None,
    link: LinkCode | None = None,
    allow_pbkdf2: bool = False,
    allow_weak_kdf: bool = False,
    newer: Keyring | None = None,
) -> None:
    """Log in and take the account over; see `AccountService.login`.

    Args:
        newer: a keyring that has every key of the account's, which may then be an older one than is remembered.
    """
    tokens = MemoryTokens()
    transport = device.connect(place.server, tokens, allow_insecure=place.allow_insecure)
    try:
        offered = await transport.request(
            "POST",
            "/auth/prelogin",
            body=Prelogin(**place.identification),
            answer=PreloginAnswer,
            authenticated=False,
        )
        params = kdf_from_wire(offered.kdf)
        if link is not None:
            require_parameters(link, params)
        known = remembered or device.memory.find(transport.server, place.login_name)
        keys = await unlock(
            password,
            place.login_name,
            params,
            remembered=login_floor(
                params,
                None if known is None else known.kdf,
                linked=None if link is None else link.kdf,
                allow_pbkdf2=allow_pbkdf2,
                # Tests make accounts with parameters below every limit.
                allow_weak_kdf=allow_weak_kdf or device.allow_test_parameters,
            ),
            allow_pbkdf2=allow_pbkdf2,
            allow_test_parameters=device.allow_test_parameters,
        )
        device_id = remembered.device_id if remembered else str(uuid.uuid4())
        try:
            answer = await enrol(transport, place, keys.auth_secret_b64, device_id)
        except InvalidCredentials:
            raise WrongPassword from None
        tokens.save(SessionTokens.of(answer))
        async with ended_on_failure(transport):
            keyring = _open(answer.user, keys, place, remembered, link, newer)
            profile = new_profile(
                transport,
                place,
                answer.user.id,
                device_id,
                answer.user.keyring_version,
                keyring,
                kdf=kdf_to_wire(params),
                remembered=remembered,
            )
            if link is not None:
                await asyncio.to_thread(_remember_link, device, profile, link)
            await device.adopt(profile, keyring, SessionTokens.of(answer), password, older=newer is not None)
            if link is not None:
                await asyncio.to_thread(device.opened.store.history.remember_checkpoints, [link_checkpoint(link)])
    finally:
        await transport.aclose()


def _remember_link(device: Device, profile: Profile, link: LinkCode) -> None:
    device.memory.note_account(profile)
    device.memory.note_link(profile.user_id, link)


async def recover(
    device: Device,
    place: AccountPlace,
    code: str,
    new_password: str,
    *,
    remembered: Profile | None,
    kdf_profile: KdfProfile,
) -> None:
    """Set new credentials with a recovery code and take the account over; see `AccountService.recover`."""
    tokens = MemoryTokens()
    transport = device.connect(place.server, tokens, allow_insecure=place.allow_insecure)
    try:
        opened = await open_with_code(transport, place.login_name, code)
        if remembered is not None:
            check_remembered(remembered, opened.user_id, opened.current_version)
        params = kdf_profile.new()
        keys = await _derive(device, place, new_password, params)
        device_id = remembered.device_id if remembered else str(uuid.uuid4())
        version = opened.current_version + 1
        answer = await _set_credentials(transport, place, opened, params, keys, device_id)
        tokens.save(SessionTokens.of(answer))
        async with ended_on_failure(transport):
            account = await transport.request("GET", "/auth/me", answer=Account)
            if account.id != opened.user_id:
                raise AccountMismatch
            if account.keyring_version != version:
                raise KeyringRolledBack
            keyring = _open(account, keys, place, remembered)
            if keyring != opened.keyring:
                raise KeySubstituted
            profile = new_profile(
                transport,
                place,
                account.id,
                device_id,
                version,
                keyring,
                kdf=kdf_to_wire(params),
                remembered=remembered,
            )
            await device.adopt(profile, keyring, SessionTokens.of(answer), new_password)
    finally:
        await transport.aclose()


async def _set_credentials(
    transport: Transport,
    place: AccountPlace,
    opened: RecoveredKeyring,
    params: KdfParameters,
    keys: PasswordKeys,
    device_id: str,
) -> Tokens:
    version = opened.current_version + 1
    try:
        body = Recover(
            recovery_token=opened.recovery_token,
            password=keys.auth_secret_b64,
            kdf=kdf_to_wire(params),
            keyring=_seal(opened.keyring, keys, opened.user_id, version),
            base_keyring_version=opened.current_version,
            device_name=place.device_name,
            device_id=device_id,
        )
    except ValidationError:
        raise InvalidAnswer from None  # the token, which came from the server
    try:
        return await transport.request("POST", "/auth/recover", body=body, answer=Tokens, authenticated=False)
    except LockleafError:
        # It may have been accepted and only its answer lost: then the new password logs in.
        entered = await enrol_own(transport, place, keys.auth_secret_b64, device_id)
        if entered is None:
            raise
        return entered


# ---- parts ----


async def _derive(device: Device, place: AccountPlace, password: str, params: KdfParameters) -> PasswordKeys:
    """Return the keys under parameters that the caller chose itself."""
    return await unlock(
        password,
        place.login_name,
        params,
        remembered=None,
        allow_pbkdf2=True,
        allow_test_parameters=device.allow_test_parameters,
    )


def _seal(keyring: Keyring, keys: PasswordKeys, user_id: uuid.UUID, version: int) -> bytes:
    return seal_keyring(keyring, keys.wrap_key, label=PASSWORD_LABEL, user_id=str(user_id), version=version)


def _open(
    account: Account,
    keys: PasswordKeys,
    place: AccountPlace,
    remembered: Profile | None,
    link: LinkCode | None = None,
    newer: Keyring | None = None,
) -> Keyring:
    """Return the keyring of an account that has just been entered, once nothing contradicts what is known here.

    Raises:
        AccountMismatch, CustodyMismatch, KeyringRolledBack, KeyringMissing, SealBroken, KeySubstituted: as their
            names say.
    """
    if link is not None:
        require_account(link, account)
    sealed = check_account(account, place, remembered, older=newer is not None)
    try:
        keyring = open_keyring(
            sealed, keys.wrap_key, label=PASSWORD_LABEL, user_id=str(account.id), version=account.keyring_version
        )
    except CryptoError:
        raise SealBroken("the keyring") from None
    if link is not None:
        require_keyring(link, keyring, account.keyring_version)
    check_public_keys(account, keyring)
    if newer is not None and not newer.extends(keyring):
        raise KeySubstituted
    return keyring
