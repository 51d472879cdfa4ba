"""Giving keys to an account that another application made, and that has none: its first keyring.

The other application sends the account's password to the server, so the server knows it; a keyring sealed under it
would be open to the server. So a new password comes with the keyring, and the old one is sent once more, to prove
whose account it is. The keyring names the place of the history after which it begins: what stands up to there cannot
have been sealed under it, and is carried along as it came (decision 65).
"""

from __future__ import annotations

from hmac import compare_digest

from lockleaf.client.account.device_enrolment import DeviceEnrolment, connected
from lockleaf.client.account.end_to_end import DerivedKeys, EndToEnd
from lockleaf.client.account.epoch_end import ATTEMPTS, UNKNOWN, claimed_end
from lockleaf.client.account.joining import take_over
from lockleaf.client.account.password_strength import require_strength
from lockleaf.client.account.reaching import ReachedAccount
from lockleaf.client.account.recovery_codes import RecoveryCodes
from lockleaf.client.account.sessions import AccountPlace, enrol, enrol_own
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
from lockleaf.client.transport.second_factor import answered
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.crypto.kdf import DEFAULT, KdfProfile
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.normalise import normalise_password
from lockleaf.wire.accounts import Account
from lockleaf.wire.credentials import KeyringReplacement, KeyringVersion
from lockleaf.wire.factors import FactorAnswer
from lockleaf.wire.tokens import Tokens

__all__ = ["AdoptedAccount"]


class AdoptedAccount(ReachedAccount):
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
    async with connected(device, place) as transport:
        if device.memory.find(transport.server, place.login_name) is not None:
            raise AccountHasKeys
        credential = await EndToEnd().choose(device, place.login_name, new_password, kdf_profile)
        enrolment = DeviceEnrolment(device, place, transport, credential)
        try:
            entered = await enrol(transport, place, password, enrolment.device_id)
        except InvalidCredentials:
            raise WrongPassword from None
        async with enrolment.session(entered):
            account = entered.user
            if account.encryption_tier != place.custody:
                raise CustodyMismatch
            if account.keyring is not None:
                raise AccountHasKeys
            keyring, codes, answer = await _give(enrolment, credential, account, password, Keyring.new(device.now()))
            profile = enrolment.profile(account.id, account.keyring_version + 1, keyring)
            await take_over(device, profile, keyring, SessionTokens.of(answer), new_password)
    return codes


async def _give(
    enrolment: DeviceEnrolment, credential: DerivedKeys, account: Account, password: str, fresh: Keyring
) -> tuple[Keyring, RecoveryCodes, Tokens]:
    """Return the keyring as it was given, its recovery codes, and the session's next tokens.

    The request is made again until it names the end of the history, which the server tells. A false one gains it
    nothing: the first sync holds it against the history.

    Raises:
        HistoryMoved: others kept writing all the while.
    """
    end = UNKNOWN
    for attempt in range(ATTEMPTS):
        keyring = fresh.beginning_after(end)
        codes, fields = credential.with_new_key(account, keyring, account.keyring_version + 1, end)
        body = KeyringReplacement(current_password=password, password=credential.proof, **fields)
        try:
            return keyring, codes, await _send(enrolment, body)
        except HistoryMoved as error:
            if attempt == ATTEMPTS - 1:
                raise
            end = claimed_end(error)
    raise AssertionError("the last attempt returns or raises")


async def _send(enrolment: DeviceEnrolment, body: KeyringReplacement) -> Tokens:
    transport, proof = enrolment.transport, enrolment.credential.proof

    async def send(factor: FactorAnswer | None) -> KeyringVersion:
        request = body.model_copy(update={"factor": factor})
        return await transport.request("PUT", "/auth/keyring", body=request, answer=KeyringVersion, retry=False)

    try:
        answer = await answered(transport, send)
    except HistoryMoved:
        raise
    except LockleafError:
        # It may have been accepted and only its answer lost: then the new password logs in, to this keyring.
        entered = await enrol_own(transport, enrolment.place, proof, enrolment.device_id)
        if entered is None or not compare_digest(entered.user.keyring or b"", body.keyring or b""):
            raise
        return entered
    if answer.tokens is None:
        raise InvalidAnswer
    return answer.tokens
