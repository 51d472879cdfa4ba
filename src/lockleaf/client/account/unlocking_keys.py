"""A security key that opens the journal on a device without a keychain, in place of the password (WebAuthn's PRF).

It is a credential of its own, for a relying party whose name nobody can have (RFC 6761), so that no page on the web can
ask for what it gives, and no server is asked: the key answers here alone, offline.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

from fido2.webauthn import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRequestOptions,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from lockleaf.client.account.passkeys import SecurityKey, run
from lockleaf.client.device.device import Device
from lockleaf.client.errors import KeychainUnavailable, SecurityKeyFailed, WrongPassword
from lockleaf.client.keychain.keychains import PasswordKeychain

__all__ = ["let_unlock", "unlock_with"]

_RP_ID = "device.lockleaf.invalid"
_ORIGIN = f"https://{_RP_ID}"
_PATIENCE_MS = 60_000
_ALGORITHMS = (-8, -7)
_LENGTH = 32
_KIND = PublicKeyCredentialType.PUBLIC_KEY
_VERIFIED = UserVerificationRequirement.REQUIRED


async def let_unlock(device: Device, key: SecurityKey) -> None:
    """Have a security key open the journal; see `Locking.let_unlock`."""
    keychain = _keychain(device)
    profile = device.opened.profile
    client = key.client(_ORIGIN, _RP_ID)
    options = PublicKeyCredentialCreationOptions(
        rp=PublicKeyCredentialRpEntity(id=_RP_ID, name="Lockleaf on this device"),
        user=PublicKeyCredentialUserEntity(
            id=sha256(profile.device_id.encode()).digest(), name="journal", display_name="journal"
        ),
        challenge=secrets.token_bytes(_LENGTH),
        pub_key_cred_params=[PublicKeyCredentialParameters(type=_KIND, alg=each) for each in _ALGORITHMS],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=_VERIFIED
        ),
        timeout=_PATIENCE_MS,
        extensions={"prf": {}},
    )
    made = await run(lambda stop: client.make_credential(options, stop))
    data = made.response.attestation_object.auth_data.credential_data
    if data is None:
        raise SecurityKeyFailed
    credential_id, salt = bytes(data.credential_id), secrets.token_bytes(_LENGTH)
    keychain.let_unlock(credential_id, salt, await _output(key, credential_id, salt))


async def unlock_with(device: Device, key: SecurityKey, *, idle: float | None) -> bool:
    """Open the journal with a security key; see `Locking.unlock_with`."""
    known = _keychain(device).security_key
    if known is None:
        raise SecurityKeyFailed("no security key was added to this journal")
    output = await _output(key, known.credential_id, known.salt)
    try:
        return await device.unlock(output, idle=idle)
    except WrongPassword:
        raise SecurityKeyFailed("it is not the key of this journal") from None


async def _output(key: SecurityKey, credential_id: bytes, salt: bytes) -> bytes:
    """Return what the key gives for a salt, once it has verified its user.

    Raises:
        SecurityKeyFailed: it has no such credential, was not touched, or gives nothing of the kind.
    """
    client = key.client(_ORIGIN, _RP_ID)
    options = PublicKeyCredentialRequestOptions(
        challenge=secrets.token_bytes(_LENGTH),
        rp_id=_RP_ID,
        allow_credentials=[PublicKeyCredentialDescriptor(type=_KIND, id=credential_id)],
        user_verification=_VERIFIED,
        timeout=_PATIENCE_MS,
        extensions={"prf": {"eval": {"first": salt}}},
    )
    found = (await run(lambda stop: client.get_assertion(options, stop))).get_response(0)
    prf = found.client_extension_results.prf
    results = None if prf is None else prf.results
    if results is None or len(results.first) != _LENGTH:
        raise SecurityKeyFailed("it has no PRF (hmac-secret)")
    return bytes(results.first)


def _keychain(device: Device) -> PasswordKeychain:
    if not isinstance(device.keychain, PasswordKeychain):
        raise KeychainUnavailable("the system's keychain opens this journal, and has a lock of its own")
    return device.keychain
