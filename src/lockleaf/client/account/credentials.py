"""Changing what opens an end-to-end encrypted account: password, keyring, recovery codes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from lockleaf.client.account import deletion, key_rotation
from lockleaf.client.account.epoch_end import CatchUp, PresentEnd
from lockleaf.client.account.key_checks import check_keys, fetch_account, may_have_been_accepted
from lockleaf.client.account.key_rotation import KeyChange
from lockleaf.client.account.recovery_codes import RecoveryCodes, new_recovery_set
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    HistoryMoved,
    InvalidAnswer,
    InvalidCredentials,
    KeySubstituted,
    LockleafError,
    ProfileDamaged,
    RecoveryCodesUnconfirmed,
    WrongPassword,
)
from lockleaf.client.keychain.password_keys import fresh_parameters, kdf_from_wire, kdf_to_wire, unlock
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.crypto import identity
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.kdf import KdfParameters, PasswordKeys
from lockleaf.crypto.keyring import PASSWORD_LABEL, Keyring, RetiredAt, open_keyring, seal_keyring
from lockleaf.wire import credentials as wire
from lockleaf.wire.accounts import Account
from lockleaf.wire.credentials import KeyringReplacement, KeyringVersion, PasswordChange
from lockleaf.wire.recovery import RecoveryCodesReplacement
from lockleaf.wire.tokens import Tokens

__all__ = ["change_password", "current_secret", "delete_account", "new_recovery_codes", "rotate_keyring", "write_again"]

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class _Proof:
    """The account, and the keys of a password that was found to be its."""

    account: Account
    keys: PasswordKeys

    @property
    def current_password(self) -> str:
        """What proves the password to the server."""
        return self.keys.auth_secret_b64

    @property
    def next_version(self) -> int:
        """The keyring version that the next change makes."""
        return self.account.keyring_version + 1


@dataclass(frozen=True)
class _Fresh:
    """Parameters that were drawn anew, and the keys that a password gives by them."""

    params: KdfParameters
    keys: PasswordKeys


async def change_password(device: Device, old: str, new: str) -> None:
    """Seal the keyring under a new password; see `AccountService.change_password`."""
    proof = await _prove(device, old)
    await _change_password(device, proof, await _fresh(device, new), proof.next_version)


async def _change_password(device: Device, proof: _Proof, fresh: _Fresh, version: int) -> None:
    keyring = device.session.keyring
    sealed = _seal(keyring, fresh.keys, proof, version)
    change = KeyChange.of("password", version=version, sealed=sealed, kdf=kdf_to_wire(fresh.params), keyring=keyring)
    body = PasswordChange(
        current_password=proof.current_password,
        password=fresh.keys.auth_secret_b64,
        kdf=change.kdf,
        keyring=sealed,
        base_keyring_version=proof.account.keyring_version,
        keyring_version=version,
    )
    tokens = await _send(device, change, "/auth/password", body, Tokens)
    if tokens is not None:
        device.session.transport.tokens.save(SessionTokens.of(tokens))
        await key_rotation.commit(device, change)


async def rotate_keyring(
    device: Device, password: str, new_password: str, *, sync: CatchUp, media: bool
) -> RecoveryCodes:
    """Add a fresh master key to the keyring; see `AccountService.rotate_keyring`."""
    await check_keys(device)
    if key_rotation.holds_codes(device) and await _is_present(device, new_password):
        unseen = key_rotation.take_codes(device)
        assert unseen is not None
        return unseen
    # With another password than that rotation's it is a further one that is asked for.
    proof = await _prove(device, password)
    # A fresh salt, even for the same password: what was derived from it before proves and opens nothing any more.
    fresh = await _fresh(device, new_password)

    def rotated(end: RetiredAt) -> Keyring:
        return device.session.keyring.rotated(device.now(), end)

    return await _at_the_end(device, proof, fresh, rotated, proof.next_version, sync=sync, media=media)


async def write_again(
    device: Device, password: str, newer: Keyring, version: int, *, sync: CatchUp
) -> RecoveryCodes | None:
    """Write a newer keyring at a server that was put back to before it (PROTOCOL section 2).

    Args:
        device: logged in with the older keyring.
        password: the one that is in force there.
        newer: has every key of that keyring, and perhaps later ones; where its keys were retired in a history that is
            lost, they are retired at the present end.
        version: one more than the highest that is known.
        sync: see `CatchUp`.

    Returns:
        The new recovery codes; None where no key was lost, so that the codes of before are good.

    Raises:
        IntegrityError, TransportError, ApiError, LocalStoreError: as for `AccountService.rotate_keyring`.
    """
    proof = await _prove(device, password)
    fresh = await _fresh(device, password)
    if len(newer) == len(device.session.keyring):
        await _change_password(device, proof, fresh, version)
        return None
    # The key that writes there now did so until this moment, wherever it had been retired in the history that is lost.
    known = {entry.retired_at for entry in device.session.keyring}

    def retired_anew(end: RetiredAt) -> Keyring:
        return newer.retired_anew(end, known=known.__contains__)

    return await _at_the_end(device, proof, fresh, retired_anew, version, sync=sync, media=False)


async def _at_the_end(
    device: Device,
    proof: _Proof,
    fresh: _Fresh,
    keyring_at: Callable[[RetiredAt], Keyring],
    version: int,
    *,
    sync: CatchUp,
    media: bool,
) -> RecoveryCodes:
    """Write a keyring that retires keys at the end of the history, wherever that is by the time it is written."""
    end = PresentEnd(device, sync)
    while True:
        place = await end.find()
        keyring = await asyncio.to_thread(keyring_at, place)
        try:
            return await _rotate(device, proof, fresh, keyring, version, place, media=media)
        except HistoryMoved as error:
            end.moved(error)


async def _rotate(
    device: Device, proof: _Proof, fresh: _Fresh, keyring: Keyring, version: int, end: RetiredAt, *, media: bool
) -> RecoveryCodes:
    session = device.session
    newest = keyring.newest
    sealed = _seal(keyring, fresh.keys, proof, version)
    codes, entries = new_recovery_set(keyring, proof.account.id, version)
    change = KeyChange.of(
        "rotation",
        version=version,
        sealed=sealed,
        kdf=kdf_to_wire(fresh.params),
        keyring=keyring,
        codes=codes.codes,
        media=media,
    )
    message = identity.rotation_message(str(proof.account.id), version, newest.recipient, newest.public_signing_key)
    body = KeyringReplacement(
        current_password=proof.current_password,
        password=fresh.keys.auth_secret_b64,
        kdf=change.kdf,
        keyring=sealed,
        base_keyring_version=proof.account.keyring_version,
        keyring_version=version,
        key_id=newest.key_id,
        retired_at=wire.RetiredAt(epoch=end.epoch, seq=end.seq, head=end.head),
        recipient=newest.recipient,
        signing_key=newest.public_signing_key,
        rotation_signature=identity.sign(session.keyring.newest.signing_seed, message),
        recovery=entries,
    )
    answer = await _send(device, change, "/auth/keyring", body, KeyringVersion)
    if answer is not None:
        if answer.keyring_version != change.version or answer.tokens is None:
            raise InvalidAnswer
        session.transport.tokens.save(SessionTokens.of(answer.tokens))
        await key_rotation.commit(device, change)
    key_rotation.take_codes(device)
    return codes


async def new_recovery_codes(device: Device, password: str) -> RecoveryCodes:
    """Replace the recovery codes; see `AccountService.new_recovery_codes`."""
    proof = await _prove(device, password)
    session = device.session
    codes, entries = new_recovery_set(session.keyring, proof.account.id, proof.account.keyring_version)
    body = RecoveryCodesReplacement(
        current_password=proof.current_password,
        recovery=entries,
        base_keyring_version=proof.account.keyring_version,
    )
    try:
        # The same set twice is the same set, so trying again is safe.
        await session.transport.command("POST", "/auth/recovery-codes", body=body)
    except InvalidCredentials:
        raise WrongPassword from None
    except LockleafError as error:
        if may_have_been_accepted(error):
            raise RecoveryCodesUnconfirmed from None
        raise
    key_rotation.take_codes(device)
    return codes


async def delete_account(device: Device, password: str) -> None:
    """Delete the account at the server; see `AccountService.delete`."""
    proof = await _prove(device, password)
    await deletion.delete(device, proof.current_password)


async def current_secret(device: Device, password: str) -> str:
    """Return what proves a password to the server. It is derived as this device remembers, and not checked here."""
    return (await _unlock(device, password, _parameters(device))).auth_secret_b64


async def _prove(device: Device, password: str) -> _Proof:
    """Check a password against the server's keyring.

    It is checked here and not only by the server: one that would accept anything must not get a keyring sealed under
    a mistyped password, which would lock its user out everywhere else.
    """
    account = await check_keys(device)
    keys = await _unlock(device, password, _parameters(device))
    assert account.keyring is not None  # check_keys has seen to it
    try:
        keyring = open_keyring(
            account.keyring,
            keys.wrap_key,
            label=PASSWORD_LABEL,
            user_id=str(account.id),
            version=account.keyring_version,
        )
    except CryptoError:
        raise WrongPassword from None
    if keyring != device.session.keyring:
        raise KeySubstituted
    return _Proof(account, keys)


async def _is_present(device: Device, password: str) -> bool:
    """Tell whether a password is the account's."""
    try:
        await _prove(device, password)
    except WrongPassword:
        return False
    return True


def _parameters(device: Device) -> KdfParameters:
    """Return the parameters that this device remembers of the account."""
    kept = device.session.profile.kdf
    if kept is None:
        raise ProfileDamaged
    return kdf_from_wire(kept)


async def _unlock(device: Device, password: str, params: KdfParameters) -> PasswordKeys:
    profile = device.session.profile
    return await unlock(
        password,
        profile.login_name,
        params,
        remembered=_parameters(device),
        allow_test_parameters=device.allow_test_parameters,
    )


async def _fresh(device: Device, password: str) -> _Fresh:
    params = fresh_parameters(_parameters(device), allow_test_parameters=device.allow_test_parameters)
    return _Fresh(params, await _unlock(device, password, params))


def _seal(keyring: Keyring, keys: PasswordKeys, proof: _Proof, version: int) -> bytes:
    return seal_keyring(keyring, keys.wrap_key, label=PASSWORD_LABEL, user_id=str(proof.account.id), version=version)


async def _send(device: Device, change: KeyChange, path: str, body: BaseModel, answer: type[M]) -> M | None:
    """Send a change once; None when its answer was lost and it is known now that it was accepted.

    It is not sent twice: accepted the first time, it would be refused the second time, for its old secret.
    """
    key_rotation.prepare(device, change)
    try:
        return await device.session.transport.request("PUT", path, body=body, answer=answer, retry=False)
    except LockleafError as error:
        if not may_have_been_accepted(error):
            key_rotation.discard(device)
            if isinstance(error, InvalidCredentials):
                raise WrongPassword from None
            raise
        with suppress(LockleafError):
            if await key_rotation.settle(device, await fetch_account(device)):
                return None
        raise
