"""How a device comes to an account: by registering, by logging in, or by a recovery code."""

from __future__ import annotations

import asyncio
import uuid

from pydantic import ValidationError

from lockleaf.client.account import credentials
from lockleaf.client.account.custody import custody_of
from lockleaf.client.account.device_enrolment import DeviceEnrolment, connected
from lockleaf.client.account.enrolment_checks import check_remembered
from lockleaf.client.account.joining import take_over
from lockleaf.client.account.link_codes import FirstContact, LinkCode, link_checkpoint
from lockleaf.client.account.recovery_codes import RecoveredKeyring, RecoveryCodes, drawn_codes, open_with_code
from lockleaf.client.account.sessions import AccountPlace, enrol, enrol_own
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
    WrongPassword,
)
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.transport.second_factor import answered
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.crypto.kdf import KdfProfile
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.accounts import Signup, SignupAnswer
from lockleaf.wire.factors import FactorAnswer
from lockleaf.wire.recovery import Recover
from lockleaf.wire.tiers import PrivacyTier
from lockleaf.wire.tokens import Tokens

__all__ = ["login", "recover", "register"]


async def register(
    device: Device,
    place: AccountPlace,
    password: str,
    *,
    privacy_tier: PrivacyTier,
    kdf_profile: KdfProfile,
    invitation: str | None,
) -> RecoveryCodes:
    """Make an account and take it over; see `AccountService.register`."""
    device.require_vacant()
    local = device.profile
    user_id = uuid.uuid4() if local is None else local.user_id
    here = None if local is None else device.opened.keyring
    own = here if place.custody == "e2e" else None
    async with connected(device, place) as transport:
        credential = await custody_of(place.custody).choose(device, place.login_name, password, kdf_profile)
        enrolment = DeviceEnrolment(device, place, transport, credential, local)
        made = credential.new_keys(user_id, device.now(), own)
        body = Signup(
            **place.identification,
            password=credential.proof,
            encryption_tier=place.custody,
            id=user_id,
            display_name=place.display_name,
            privacy_tier=privacy_tier,
            device_name=place.device_name,
            device_id=enrolment.device_id,
            invitation=invitation,
            **({} if made is None else made.fields),
        )
        answer, shown = await _sign_up(enrolment, body)
        codes: RecoveryCodes | None
        async with enrolment.session(answer):
            if made is not None:
                keyring, version, codes = made.keyring, 1, made.codes
            else:
                account = await enrolment.account(user_id)
                keyring, version = await enrolment.open(account), account.keyring_version
                codes = None if shown is None else drawn_codes(shown)
            profile = enrolment.profile(user_id, version, keyring)
            await take_over(device, profile, keyring, SessionTokens.of(answer), password)
    # Codes are shown once, and these may have been in the answer that was lost.
    return codes if codes is not None else await credentials.new_recovery_codes(device, password)


async def _sign_up(enrolment: DeviceEnrolment, body: Signup) -> tuple[Tokens, tuple[str, ...] | None]:
    """Make the account; return its first session's tokens, and the recovery codes that the server drew."""
    request = enrolment.transport.request
    try:
        made = await request("POST", "/auth/signup", body=body, answer=SignupAnswer, authenticated=False)
    except (EmailTaken, IdTaken):
        # The first attempt may have been accepted and only its answer lost: then the account has our id and our
        # secret, which nobody else can have.
        own = await enrol_own(enrolment.transport, enrolment.place, enrolment.credential.proof, enrolment.device_id)
        if own is None or own.user.id != body.id:
            raise
        return own, None
    if made.id != body.id:
        raise AccountMismatch
    if made.encryption_tier != enrolment.place.custody:
        raise CustodyMismatch
    return made, made.recovery_codes


async def login(
    device: Device,
    place: AccountPlace,
    password: str,
    *,
    remembered: Profile | None,
    contact: FirstContact,
    newer: Keyring | None = None,
) -> None:
    """Log in and take the account over; see `AccountService.login`.

    Args:
        newer: a keyring that has every key of the account's, which may then be an older one than is remembered.
    """
    link = contact.link
    async with connected(device, place) as transport:
        credential = await custody_of(place.custody).enter(device, transport, place, password, remembered, contact)
        enrolment = DeviceEnrolment(device, place, transport, credential, remembered)
        try:
            answer = await enrol(transport, place, credential.proof, enrolment.device_id)
        except InvalidCredentials:
            raise WrongPassword from None
        async with enrolment.session(answer):
            keyring = await enrolment.open(answer.user, link, newer)
            profile = enrolment.profile(answer.user.id, answer.user.keyring_version, keyring)
            if link is not None:
                await asyncio.to_thread(_remember_link, device, profile, link)
            await take_over(device, profile, keyring, SessionTokens.of(answer), password, older=newer is not None)
            if link is not None:
                await asyncio.to_thread(device.opened.store.history.remember_checkpoints, [link_checkpoint(link)])


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
    custody = custody_of(place.custody)
    async with connected(device, place) as transport:
        credential = await custody.choose(device, place.login_name, new_password, kdf_profile)
        enrolment = DeviceEnrolment(device, place, transport, credential, remembered)
        opened = await open_with_code(transport, place.login_name, code, custody.code_fields)
        if remembered is not None:
            check_remembered(remembered, opened.user_id, opened.current_version)
        answer = await _set_credentials(enrolment, opened)
        async with enrolment.session(answer):
            account = await enrolment.account(opened.user_id)
            if account.keyring_version <= opened.current_version:
                raise KeyringRolledBack
            keyring = await enrolment.open(account)
            if keyring != opened.keyring:
                raise KeySubstituted
            profile = enrolment.profile(account.id, account.keyring_version, keyring)
            await take_over(device, profile, keyring, SessionTokens.of(answer), new_password)


async def _set_credentials(enrolment: DeviceEnrolment, opened: RecoveredKeyring) -> Tokens:
    base, credential = opened.current_version, enrolment.credential
    try:
        body = Recover(
            recovery_token=opened.recovery_token,
            password=credential.proof,
            device_name=enrolment.place.device_name,
            device_id=enrolment.device_id,
            **credential.resealed(opened.keyring, opened.user_id, base=base, version=base + 1),
        )
    except ValidationError:
        raise InvalidAnswer from None  # the token, which came from the server
    transport = enrolment.transport

    async def send(factor: FactorAnswer | None) -> Tokens:
        # Asked for here where the account got its factor since the code was verified.
        request = body.model_copy(update={"factor": factor})
        return await transport.request("POST", "/auth/recover", body=request, answer=Tokens, authenticated=False)

    try:
        return await answered(transport, send)
    except LockleafError:
        # It may have been accepted and only its answer lost: then the new password logs in.
        own = await enrol_own(enrolment.transport, enrolment.place, credential.proof, enrolment.device_id)
        if own is None:
            raise
        return own
