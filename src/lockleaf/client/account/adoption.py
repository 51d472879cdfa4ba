"""Giving keys to an account that another application made, and that has none: its first keyring.

The other application sends the account's password to the server, so the server knows it; a keyring sealed under it
would be open to the server. So a new password comes with the keyring, and the old one is sent once more, to prove
whose account it is. The keyring names the place of the history after which it begins: what stands up to there cannot
have been sealed under it, and is carried along as it came (decision 65).
"""

from __future__ import annotations

import uuid
from hmac import compare_digest

from lockleaf.client.account.details import AccountFacts
from lockleaf.client.account.enrolment_steps import AccountPlace, ended_on_failure, enrol, enrol_own, new_profile
from lockleaf.client.account.epoch_end import ATTEMPTS, UNKNOWN, claimed_end
from lockleaf.client.account.password_strength import require_strength
from lockleaf.client.account.recovery_codes import RecoveryCodes, new_recovery_set
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountHasKeys,
    CustodyMismatch,
    HistoryMoved,
    InvalidAnswer,
    InvalidCredentials,
    LockleafError,
    PasswordKnown,
    WrongPassword,
)
from lockleaf.client.keychain.password_keys import kdf_to_wire, unlock
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.tokens import MemoryTokens, SessionTokens
from lockleaf.crypto.kdf import DEFAULT, KdfParameters, KdfProfile, PasswordKeys
from lockleaf.crypto.keyring import PASSWORD_LABEL, Keyring, seal_keyring
from lockleaf.crypto.normalise import normalise_password
from lockleaf.wire.accounts import Account
from lockleaf.wire.credentials import KeyringReplacement, KeyringVersion, RetiredAt
from lockleaf.wire.tokens import Tokens

__all__ = ["AdoptedAccount"]


class AdoptedAccount(AccountFacts):
    """An account that may have been another application's."""

    async def adopt(
        self,
        server: str,
        login_name: str,
        password: str,
        new_password: str,
        *,
        device_name: str,
        kdf_profile: KdfProfile = DEFAULT,
        allow_insecure: bool = False,
        allow_weak_password: bool = False,
    ) -> RecoveryCodes:
        """Take over an account that another application made and that has no keyring: give it one, and log in.

        The other application is signed out, and cannot log in again: the password is another one. What it wrote stays,
        and is carried along as it came; only that application can open it.

        Args:
            server: the server's URL.
            login_name: the account's email address, or a name without an @; which it is, the @ tells.
            password: what the other application sends as its password. It is sent once more: never give that of an
                account that was made with this program.
            new_password: never sent.
            device_name: how this device is shown among the account's devices.
            kdf_profile: how dear a guess at the new password shall be.
            allow_insecure: plain http to another machine is accepted.
            allow_weak_password: take a new password that is easy to guess.

        Returns:
            Ten recovery codes: show them once, keep them nowhere.

        Raises:
            WrongPassword: the address or the password is wrong.
            PasswordKnown: both passwords are the same.
            PasswordTooWeak: the new one is too easy to guess, and it says why.
            AccountHasKeys: the account has a keyring.
            CustodyMismatch: the server opens this account.
            AlreadyLoggedIn: the profile belongs to an account.
            ServerUnreachable, InsecureServer, InvalidServerAddress: as their names say.
        """
        place = AccountPlace(server, login_name, device_name, allow_insecure=allow_insecure)
        self._device.require_vacant()
        if normalise_password(password) == normalise_password(new_password):
            raise PasswordKnown
        await require_strength(new_password, about=(login_name,), allow_weak_password=allow_weak_password)
        return await _adopt(self._device, place, password, new_password, kdf_profile)


async def _adopt(
    device: Device, place: AccountPlace, password: str, new_password: str, kdf_profile: KdfProfile
) -> RecoveryCodes:
    tokens = MemoryTokens()
    transport = device.connect(place.server, tokens, allow_insecure=place.allow_insecure)
    try:
        if device.memory.find(transport.server, place.login_name) is not None:
            raise AccountHasKeys
        params = kdf_profile.new()
        keys = await unlock(
            new_password,
            place.login_name,
            params,
            remembered=None,
            allow_pbkdf2=True,
            allow_test_parameters=device.allow_test_parameters,
        )
        device_id = str(uuid.uuid4())
        try:
            entered = await enrol(transport, place, password, device_id)
        except InvalidCredentials:
            raise WrongPassword from None
        tokens.save(SessionTokens.of(entered))
        async with ended_on_failure(transport):
            account = entered.user
            if account.encryption_tier != place.custody:
                raise CustodyMismatch
            if account.keyring is not None:
                raise AccountHasKeys
            giving = _Giving(transport, place, account, password, params, keys, device_id)
            keyring, codes, answer = await giving.give(Keyring.new(device.now()))
            version = account.keyring_version + 1
            profile = new_profile(transport, place, account.id, device_id, version, keyring, kdf=kdf_to_wire(params))
            await device.adopt(profile, keyring, SessionTokens.of(answer), new_password)
    finally:
        await transport.aclose()
    return codes


class _Giving:
    """The request that gives the keyring, made again until it names the end of the history."""

    def __init__(
        self,
        transport: Transport,
        place: AccountPlace,
        account: Account,
        password: str,
        params: KdfParameters,
        keys: PasswordKeys,
        device_id: str,
    ) -> None:
        self._transport = transport
        self._place = place
        self._account = account
        self._password = password
        self._params = params
        self._keys = keys
        self._device_id = device_id

    async def give(self, fresh: Keyring) -> tuple[Keyring, RecoveryCodes, Tokens]:
        """Return the keyring as it was given, its recovery codes, and the session's next tokens.

        The server names the end. A false one gains it nothing: the first sync holds it against the history.

        Raises:
            HistoryMoved: others kept writing all the while.
        """
        version, user_id, newest = self._account.keyring_version + 1, self._account.id, fresh.newest
        end = UNKNOWN
        for attempt in range(ATTEMPTS):
            keyring = fresh.beginning_after(end)
            sealed = seal_keyring(
                keyring, self._keys.wrap_key, label=PASSWORD_LABEL, user_id=str(user_id), version=version
            )
            codes, entries = new_recovery_set(keyring, user_id, version)
            body = KeyringReplacement(
                current_password=self._password,
                password=self._keys.auth_secret_b64,
                kdf=kdf_to_wire(self._params),
                keyring=sealed,
                base_keyring_version=self._account.keyring_version,
                key_id=newest.key_id,
                retired_at=RetiredAt(epoch=end.epoch, seq=end.seq, head=end.head),
                recipient=newest.recipient,
                signing_key=newest.public_signing_key,
                recovery=entries,
            )
            try:
                return keyring, codes, await self._send(body, sealed)
            except HistoryMoved as error:
                if attempt == ATTEMPTS - 1:
                    raise
                end = claimed_end(error)
        raise AssertionError("the last attempt returns or raises")

    async def _send(self, body: KeyringReplacement, sealed: bytes) -> Tokens:
        try:
            answer = await self._transport.request(
                "PUT", "/auth/keyring", body=body, answer=KeyringVersion, retry=False
            )
        except HistoryMoved:
            raise
        except LockleafError:
            # It may have been accepted and only its answer lost: then the new password logs in, to this keyring.
            entered = await enrol_own(self._transport, self._place, self._keys.auth_secret_b64, self._device_id)
            if entered is None or not compare_digest(entered.user.keyring or b"", sealed):
                raise
            return entered
        if answer.tokens is None:
            raise InvalidAnswer
        return answer.tokens
