"""How a device comes to an account: by registering one, by logging in, or by a recovery code."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from lockleaf.client.checks import check_keys
from lockleaf.client.device import Device
from lockleaf.client.errors import (
    AccountMismatch,
    AlreadyLoggedIn,
    ApiError,
    CustodyMismatch,
    CustodyUnsupported,
    EmailTaken,
    IdTaken,
    IntegrityError,
    InvalidAnswer,
    InvalidCredentials,
    InvalidDeviceName,
    InvalidEmail,
    KeyringMissing,
    KeyringRolledBack,
    KeysChangedElsewhere,
    KeySubstituted,
    LockleafError,
    NotLoggedIn,
    RefreshTokenReused,
    SealBroken,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
    TransportError,
    WrongPassword,
)
from lockleaf.client.password import kdf_from_wire, kdf_to_wire, unlock
from lockleaf.client.profile import Custody, Profile
from lockleaf.client.recovery import RecoveredKeyring, RecoveryCodes, new_recovery_set, open_with_code
from lockleaf.client.tokens import MemoryTokens, SessionTokens
from lockleaf.client.transport import Transport
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.kdf import KdfParameters, KdfProfile, PasswordKeys
from lockleaf.crypto.keyring import PASSWORD_LABEL, Keyring, open_keyring, seal_keyring
from lockleaf.crypto.normalise import normalise_email
from lockleaf.wire.accounts import (
    Account,
    EmailText,
    Login,
    LoginAnswer,
    Name,
    Prelogin,
    PreloginAnswer,
    PrivacyTier,
    Recover,
    Signup,
    SignupAnswer,
    Tokens,
)

__all__ = ["Place", "login", "recover", "register"]

_EMAIL: TypeAdapter[str] = TypeAdapter(EmailText)
_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class Place:
    """Which account at which server, and how this device is called there."""

    server: str
    email: str
    device_name: str
    custody: Custody = "e2e"
    allow_insecure: bool = False

    def __post_init__(self) -> None:
        if self.custody != "e2e":
            raise CustodyUnsupported
        try:
            _EMAIL.validate_python(self.email)
        except ValidationError:
            raise InvalidEmail from None
        try:
            _NAME.validate_python(self.device_name)
        except ValidationError:
            raise InvalidDeviceName from None
        object.__setattr__(self, "email", normalise_email(self.email))


async def register(
    device: Device, place: Place, password: str, *, privacy_tier: PrivacyTier, kdf_profile: KdfProfile
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
            email=place.email,
            password=keys.auth_secret_b64,
            encryption_tier=place.custody,
            id=user_id,
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
            entered = await _enter_own(transport, place, keys, device_id)
            if entered is None or entered.user.id != user_id:
                raise
            answer = entered
        profile = _profile(transport, place, user_id, device_id, params, 1, keyring)
        await device.adopt(profile, keyring, SessionTokens.of(answer))
    finally:
        await transport.aclose()
    return codes


async def _enter_own(transport: Transport, place: Place, keys: PasswordKeys, device_id: str) -> LoginAnswer | None:
    with suppress(LockleafError):
        return await _enter(transport, place, keys, device_id)
    return None


async def login(device: Device, place: Place, password: str, *, allow_pbkdf2: bool = False) -> None:
    """Log in and take the account over; see `AccountService.login`."""
    remembered = await _remembered(device, place)
    tokens = MemoryTokens()
    transport = device.connect(place.server, tokens, allow_insecure=place.allow_insecure)
    try:
        offered = await transport.request(
            "POST", "/auth/prelogin", body=Prelogin(email=place.email), answer=PreloginAnswer, authenticated=False
        )
        params = kdf_from_wire(offered.kdf)
        keys = await unlock(
            password,
            place.email,
            params,
            remembered=kdf_from_wire(remembered.kdf) if remembered else None,
            allow_pbkdf2=allow_pbkdf2,
            allow_test_parameters=device.allow_test_parameters,
        )
        device_id = remembered.device_id if remembered else str(uuid.uuid4())
        try:
            answer = await _enter(transport, place, keys, device_id)
        except InvalidCredentials:
            raise WrongPassword from None
        tokens.save(SessionTokens.of(answer))
        async with _ended_on_failure(transport):
            keyring = _open(answer.user, keys, place, remembered)
            profile = _profile(
                transport, place, answer.user.id, device_id, params, answer.user.keyring_version, keyring
            )
            await device.adopt(_keeping(profile, remembered), keyring, SessionTokens.of(answer))
    finally:
        await transport.aclose()


async def recover(device: Device, place: Place, code: str, new_password: str, *, kdf_profile: KdfProfile) -> None:
    """Set new credentials with a recovery code and take the account over; see `AccountService.recover`."""
    remembered = await _remembered(device, place)
    tokens = MemoryTokens()
    transport = device.connect(place.server, tokens, allow_insecure=place.allow_insecure)
    try:
        opened = await open_with_code(transport, place.email, code)
        if remembered is not None:
            _check_remembered(remembered, opened.user_id, opened.current_version)
        params = kdf_profile.new()
        keys = await _derive(device, place, new_password, params)
        device_id = remembered.device_id if remembered else str(uuid.uuid4())
        version = opened.current_version + 1
        answer = await _set_credentials(transport, place, opened, params, keys, device_id)
        tokens.save(SessionTokens.of(answer))
        async with _ended_on_failure(transport):
            account = await transport.request("GET", "/auth/me", answer=Account)
            if account.id != opened.user_id:
                raise AccountMismatch
            if account.keyring_version != version:
                raise KeyringRolledBack
            keyring = _open(account, keys, place, remembered)
            if keyring != opened.keyring:
                raise KeySubstituted
            profile = _profile(transport, place, account.id, device_id, params, version, keyring)
            await device.adopt(_keeping(profile, remembered), keyring, SessionTokens.of(answer))
    finally:
        await transport.aclose()


async def _set_credentials(
    transport: Transport,
    place: Place,
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
        entered = await _enter_own(transport, place, keys, device_id)
        if entered is None:
            raise
        return entered


# ---- parts ----


class _ended_on_failure:  # noqa: N801  (read as a statement: async with _ended_on_failure(...))
    """Ends a session that was opened and then not taken over."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, LockleafError):
            with suppress(LockleafError):
                await self._transport.command("POST", "/auth/logout", retry=False)


async def _remembered(device: Device, place: Place) -> Profile | None:
    """Return what this profile remembers of the same account; refuse one in use or of another account."""
    profile = device.profile
    if profile is not None and profile.email != place.email:
        raise AlreadyLoggedIn
    if device.is_logged_in and not await _session_is_over(device):
        raise AlreadyLoggedIn
    return profile


async def _session_is_over(device: Device) -> bool:
    """Ask whether the session is of no use any more: signed out elsewhere, or older than the account's keys."""
    transport = device.session.transport
    try:
        await check_keys(device)
    except (SessionRevoked, TokenExpired, TokenInvalid, RefreshTokenReused, NotLoggedIn):
        return True
    except KeysChangedElsewhere:
        with suppress(LockleafError):
            await transport.command("POST", "/auth/logout", retry=False)
        transport.tokens.clear()
        return True
    except (IntegrityError, TransportError, ApiError):
        # Whatever that is, the session is not over: say what was asked, not what was found on the way.
        return False
    return False


def _check_remembered(remembered: Profile, user_id: uuid.UUID, keyring_version: int) -> None:
    if user_id != remembered.user_id:
        raise AccountMismatch
    if keyring_version < remembered.keyring_version:
        raise KeyringRolledBack


async def _derive(device: Device, place: Place, password: str, params: KdfParameters) -> PasswordKeys:
    """Return the keys under parameters that the caller chose itself."""
    return await unlock(
        password,
        place.email,
        params,
        remembered=None,
        allow_pbkdf2=True,
        allow_test_parameters=device.allow_test_parameters,
    )


async def _enter(transport: Transport, place: Place, keys: PasswordKeys, device_id: str) -> LoginAnswer:
    body = Login(email=place.email, password=keys.auth_secret_b64, device_name=place.device_name, device_id=device_id)
    return await transport.request("POST", "/auth/login", body=body, answer=LoginAnswer, authenticated=False)


def _seal(keyring: Keyring, keys: PasswordKeys, user_id: uuid.UUID, version: int) -> bytes:
    return seal_keyring(keyring, keys.wrap_key, label=PASSWORD_LABEL, user_id=str(user_id), version=version)


def _open(account: Account, keys: PasswordKeys, place: Place, remembered: Profile | None) -> Keyring:
    """Return the keyring of an account that has just been entered, once nothing contradicts what is known here.

    Raises:
        AccountMismatch, CustodyMismatch, KeyringRolledBack, KeyringMissing, SealBroken, KeySubstituted: as their
            names say.
    """
    if account.encryption_tier != place.custody:
        raise CustodyMismatch
    if remembered is not None:
        _check_remembered(remembered, account.id, account.keyring_version)
    if account.keyring is None:
        raise KeyringMissing
    try:
        keyring = open_keyring(
            account.keyring,
            keys.wrap_key,
            label=PASSWORD_LABEL,
            user_id=str(account.id),
            version=account.keyring_version,
        )
    except CryptoError:
        raise SealBroken("the keyring") from None
    newest = keyring.newest
    if account.recipient != newest.recipient or account.signing_key != newest.public_signing_key:
        raise KeySubstituted
    return keyring


def _profile(
    transport: Transport,
    place: Place,
    user_id: uuid.UUID,
    device_id: str,
    params: KdfParameters,
    keyring_version: int,
    keyring: Keyring,
) -> Profile:
    return Profile(
        server=transport.server,
        allow_insecure=place.allow_insecure,
        email=place.email,
        user_id=user_id,
        device_id=device_id,
        device_name=place.device_name,
        custody=place.custody,
        kdf=kdf_to_wire(params),
        keyring_version=keyring_version,
        recipient=keyring.newest.recipient,
        signing_key=keyring.newest.public_signing_key,
    )


def _keeping(profile: Profile, remembered: Profile | None) -> Profile:
    """Return ``profile`` with the wishes of its user that the one before held."""
    return profile.model_copy(update={"share_dates": remembered.share_dates}) if remembered else profile
