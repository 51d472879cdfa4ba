"""End-to-end encryption: the keys are made on the device, and what leaves it opens nothing.

(PROTOCOL sections 1 and 2.) A password is never sent: what proves it is derived from it, as is what seals the keyring.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from lockleaf.client.account.key_rotation import KeyChange, KeyringAt, SealedChange
from lockleaf.client.account.link_codes import FirstContact, require_parameters
from lockleaf.client.account.recovery_codes import RecoveryCodes, new_recovery_set
from lockleaf.client.account.sessions import AccountPlace
from lockleaf.client.device.device import Device
from lockleaf.client.errors import KdfWeakened, KeyringMissing, KeySubstituted, ProfileDamaged, SealBroken
from lockleaf.client.keychain.password_keys import fresh_parameters, kdf_from_wire, kdf_to_wire, login_floor, unlock
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.transport.http import Transport
from lockleaf.crypto import identity, recovery
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.kdf import KdfParameters, KdfProfile, PasswordKeys, is_weaker
from lockleaf.crypto.keyring import PASSWORD_LABEL, Keyring, open_keyring, seal_keyring
from lockleaf.wire import credentials as wire
from lockleaf.wire.accounts import Account
from lockleaf.wire.sessions import Prelogin, PreloginAnswer

__all__ = ["DerivedKeys", "EndToEnd", "NewKeys"]


@dataclass(frozen=True)
class NewKeys:
    """The keys of an account that is about to be made.

    ``fields`` is what the server gets of them.
    """

    keyring: Keyring
    codes: RecoveryCodes
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class DerivedKeys:
    """What is derived from a password; see `Credential`."""

    kdf: KdfParameters
    keys: PasswordKeys

    @property
    def proof(self) -> str:
        """The authentication secret."""
        return self.keys.auth_secret_b64

    async def open(self, account: Account) -> Keyring:
        """Return the account's keyring."""
        if account.keyring is None:
            raise KeyringMissing
        try:
            return open_keyring(
                account.keyring,
                self.keys.wrap_key,
                label=PASSWORD_LABEL,
                user_id=str(account.id),
                version=account.keyring_version,
            )
        except CryptoError:
            raise SealBroken("the keyring") from None

    def new_keys(self, user_id: UUID, now: str, keyring: Keyring | None = None) -> NewKeys:
        """Return a keyring with one key, recovery codes, and what the server gets of both."""
        keyring = keyring or Keyring.new(now)
        codes, published = _published(keyring, user_id, 1)
        return NewKeys(keyring, codes, {**self._sealed(keyring, user_id, 1), **published})

    def new_codes(self, keyring: Keyring, account: Account) -> tuple[RecoveryCodes, Mapping[str, Any]]:
        """Return recovery codes that are drawn here, and what the server gets of them."""
        version = account.keyring_version
        codes, entries = new_recovery_set(keyring, account.id, version)
        return codes, {"recovery": entries, "base_keyring_version": version}

    def resealed(self, keyring: Keyring, user_id: UUID, *, base: int, version: int) -> dict[str, Any]:
        """Return the keyring under this password, and what it follows."""
        return {**self._sealed(keyring, user_id, version), "base_keyring_version": base}

    def password_change(self, device: Device, account: Account, version: int) -> SealedChange:
        """Return the change that seals the keyring under this password."""
        keyring = device.session.keyring
        fields = self.resealed(keyring, account.id, base=account.keyring_version, version=version)
        return self._change(device, keyring, version, fields)

    async def rotation(
        self, device: Device, account: Account, keyring_at: KeyringAt, version: int, end: HistoryPlace, *, media: bool
    ) -> SealedChange:
        """Return the change to a keyring that has a further key, with its recovery codes."""
        keyring = await asyncio.to_thread(keyring_at, end)
        codes, fields = self.with_new_key(account, keyring, version, end)
        newest = keyring.newest
        message = identity.rotation_message(str(account.id), version, newest.recipient, newest.public_signing_key)
        fields["rotation_signature"] = identity.sign(device.session.keyring.newest.signing_seed, message)
        return self._change(device, keyring, version, fields, codes=codes, media=media)

    def with_new_key(
        self, account: Account, keyring: Keyring, version: int, end: HistoryPlace
    ) -> tuple[RecoveryCodes, dict[str, Any]]:
        """Return recovery codes for a keyring that gained a key at the ``end``, and what the server gets of both."""
        codes, published = _published(keyring, account.id, version)
        fields = {
            **self.resealed(keyring, account.id, base=account.keyring_version, version=version),
            **published,
            "key_id": keyring.newest.key_id,
            "retired_at": wire.HistoryPlace(epoch=end.epoch, seq=end.seq, head=end.head),
        }
        return codes, fields

    def _change(
        self,
        device: Device,
        keyring: Keyring,
        version: int,
        fields: dict[str, Any],
        *,
        codes: RecoveryCodes | None = None,
        media: bool = False,
    ) -> SealedChange:
        kept = KeyChange(
            version=version,
            sealed_hash=sha256(fields["keyring"]).digest(),
            kdf=kdf_to_wire(self.kdf),
            keyring=keyring.pack(),
            codes=() if codes is None else codes.codes,
            media=media,
        )
        fields["keyring_version"] = version
        return SealedChange(device=device, version=version, fields=fields, codes=codes, kept=kept)

    def _sealed(self, keyring: Keyring, user_id: UUID, version: int) -> dict[str, Any]:
        sealed = seal_keyring(keyring, self.keys.wrap_key, label=PASSWORD_LABEL, user_id=str(user_id), version=version)
        return {"kdf": kdf_to_wire(self.kdf), "keyring": sealed}


class EndToEnd:
    """Keys that only the user's devices and recovery codes open; see `Custody`."""

    sends_password: Final = False

    async def choose(self, device: Device, login_name: str, password: str, kdf_profile: KdfProfile) -> DerivedKeys:
        """Derive with fresh parameters."""
        params = kdf_profile.new()
        keys = await unlock(
            password,
            login_name,
            params,
            remembered=None,
            allow_pbkdf2=True,
            allow_test_parameters=device.allow_test_parameters,
        )
        return DerivedKeys(params, keys)

    async def enter(
        self,
        device: Device,
        transport: Transport,
        place: AccountPlace,
        password: str,
        remembered: Profile | None,
        contact: FirstContact,
    ) -> DerivedKeys:
        """Derive with the parameters that the server names, once they are found good enough."""
        body = Prelogin(**place.identification)
        offered = await transport.request(
            "POST", "/auth/prelogin", body=body, answer=PreloginAnswer, authenticated=False
        )
        params = kdf_from_wire(offered.kdf)
        link = contact.link
        if link is not None:
            require_parameters(link, params)
        if remembered is not None:
            known = remembered.kdf
        else:
            memory = device.memory.find(transport.server, place.login_name)
            known = None if memory is None else memory.key_derivation
        floor = login_floor(
            params,
            known,
            linked=None if link is None else link.kdf,
            allow_pbkdf2=contact.allow_pbkdf2,
            # Tests make accounts with parameters below every limit.
            allow_weak_kdf=contact.allow_weak_kdf or device.allow_test_parameters,
        )
        keys = await unlock(
            password,
            place.login_name,
            params,
            remembered=floor,
            allow_pbkdf2=contact.allow_pbkdf2,
            allow_test_parameters=device.allow_test_parameters,
        )
        return DerivedKeys(params, keys)

    async def unlock(self, device: Device, password: str) -> DerivedKeys:
        """Derive as this device remembers."""
        return await _unlock(device, password, _parameters(device))

    async def fresh(self, device: Device, password: str) -> DerivedKeys:
        """Derive with a fresh salt, even for the same password.

        What was derived from it before then proves and opens nothing any more.
        """
        params = fresh_parameters(_parameters(device), allow_test_parameters=device.allow_test_parameters)
        return await _unlock(device, password, params)

    def code_fields(self, code: str) -> Mapping[str, Any]:
        """Return what is derived of the code: the code itself opens the keyring."""
        return {"verifier": recovery.verifier(code)}

    def check_account(self, account: Account, profile: Profile) -> None:
        """Hold the server to the parameters that this device remembers, or stronger ones."""
        kept = profile.kdf
        if account.kdf is None or kept is None or is_weaker(kdf_from_wire(account.kdf), kept):
            raise KdfWeakened

    def check_newer(self, keyring: Keyring, newer: Keyring) -> None:
        """Take what has every key of the older one, and perhaps later ones."""
        if not newer.extends(keyring):
            raise KeySubstituted


def _published(keyring: Keyring, user_id: UUID, version: int) -> tuple[RecoveryCodes, dict[str, Any]]:
    """Return recovery codes for a keyring, and the public keys and the recovery set that go with it."""
    codes, entries = new_recovery_set(keyring, user_id, version)
    newest = keyring.newest
    return codes, {"recipient": newest.recipient, "signing_key": newest.public_signing_key, "recovery": entries}


def _parameters(device: Device) -> KdfParameters:
    """Return the parameters that this device remembers of the account."""
    kept = device.session.profile.kdf
    if kept is None:
        raise ProfileDamaged
    return kept


async def _unlock(device: Device, password: str, params: KdfParameters) -> DerivedKeys:
    keys = await unlock(
        password,
        device.session.profile.login_name,
        params,
        remembered=_parameters(device),
        allow_test_parameters=device.allow_test_parameters,
    )
    return DerivedKeys(params, keys)
