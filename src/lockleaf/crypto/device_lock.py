"""The lock of a device without a keychain: the key of its local store, sealed under the account's password.

A random device key (32 bytes) seals what the device keeps; the password seals the device key. So what is kept can be
replaced without the password, and the password without what is kept. Composed of what the protocol has: the password
goes through section 1's derivation with a salt of this lock's own, and the seals are section 3's frames.

    lock key     = HKDF(wrap_key of (password, email, the lock's kdf), "lockleaf/1/device-lock")
    wrapped      = frame(lock key,   AAD "lockleaf/1/device-lock" ‖ lp(user_id) ‖ lp(device_id), device key)
    kept         = frame(device key, AAD "lockleaf/1/device-kept" ‖ lp(user_id) ‖ lp(device_id), text)

The salt is drawn anew with each lock, so the lock key is no key of the account, and tells nothing about one. A security
key may seal the same device key beside the password, under what it gives for a salt (WebAuthn's PRF):

    by key       = frame(HKDF(PRF output, "lockleaf/1/device-passkey"),
                         AAD "lockleaf/1/device-passkey" ‖ lp(user_id) ‖ lp(device_id), device key)
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from lockleaf.crypto import frame
from lockleaf.crypto.encoding import lp
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.hkdf import KEY_LENGTH, hkdf
from lockleaf.crypto.kdf import KdfParameters, unlock

__all__ = [
    "LockContext",
    "new_device_key",
    "open_kept",
    "seal_kept",
    "unwrap_by_passkey",
    "unwrap_device_key",
    "wrap_by_passkey",
    "wrap_device_key",
]

_LOCK = b"lockleaf/1/device-lock"
_KEPT = b"lockleaf/1/device-kept"
_PASSKEY = b"lockleaf/1/device-passkey"


@dataclass(frozen=True, slots=True)
class LockContext:
    """Whose lock it is. A lock that was moved to another account's or device's folder does not open.

    Args:
        email: the account's address, or the name in its place, which goes into the derivation as everywhere.
        user_id: the account.
        device_id: the device.
    """

    email: str
    user_id: str
    device_id: str

    def bound(self, label: bytes) -> bytes:
        """Return the additional data of a seal of this kind."""
        return label + lp(self.user_id) + lp(self.device_id)


def new_device_key() -> bytes:
    """Return a random key."""
    return secrets.token_bytes(KEY_LENGTH)


def wrap_device_key(
    device_key: bytes,
    password: str,
    params: KdfParameters,
    context: LockContext,
    *,
    allow_test_parameters: bool = False,
) -> bytes:
    """Return ``device_key`` sealed under ``password``; takes as long as ``params`` ask for.

    Raises:
        WeakKdf: the parameters are outside the limits.
        Malformed: the password has no UTF-8 form.
    """
    key = _lock_key(password, params, context, allow_test_parameters=allow_test_parameters)
    return frame.seal(key, context.bound(_LOCK), device_key, 0)


def unwrap_device_key(
    wrapped: bytes,
    password: str,
    params: KdfParameters,
    context: LockContext,
    *,
    allow_test_parameters: bool = False,
) -> bytes:
    """Return the device key that `wrap_device_key` sealed.

    Raises:
        SealBroken: another password, or another device's lock.
        WeakKdf: the parameters are outside the limits; nothing was derived.
        Malformed: it is no such seal.
    """
    parsed = _parsed(wrapped)
    key = _lock_key(password, params, context, allow_test_parameters=allow_test_parameters)
    device_key = frame.open_frame(key, context.bound(_LOCK), parsed)
    if len(device_key) != KEY_LENGTH:
        raise Malformed("the device key is not 32 bytes")
    return device_key


def wrap_by_passkey(device_key: bytes, prf_output: bytes, context: LockContext) -> bytes:
    """Return ``device_key`` sealed under what a security key gives (32 bytes) for a salt of this lock's own."""
    return frame.seal(hkdf(prf_output, _PASSKEY), context.bound(_PASSKEY), device_key, 0)


def unwrap_by_passkey(wrapped: bytes, prf_output: bytes, context: LockContext) -> bytes:
    """Return the device key that `wrap_by_passkey` sealed.

    Raises:
        SealBroken: another security key, another salt, or another device's lock.
        Malformed: it is no such seal.
    """
    device_key = frame.open_frame(hkdf(prf_output, _PASSKEY), context.bound(_PASSKEY), _parsed(wrapped))
    if len(device_key) != KEY_LENGTH:
        raise Malformed("the device key is not 32 bytes")
    return device_key


def _lock_key(password: str, params: KdfParameters, context: LockContext, *, allow_test_parameters: bool) -> bytes:
    keys = unlock(password, context.email, params, remembered=None, allow_test_parameters=allow_test_parameters)
    return hkdf(keys.wrap_key, _LOCK)


def seal_kept(device_key: bytes, text: bytes, context: LockContext) -> bytes:
    """Return what the device keeps, sealed under its key."""
    return frame.seal(device_key, context.bound(_KEPT), text, 0)


def open_kept(device_key: bytes, sealed: bytes, context: LockContext) -> bytes:
    """Return what `seal_kept` sealed.

    Raises:
        SealBroken: another key, or another device's.
        Malformed: it is no such seal.
    """
    return frame.open_frame(device_key, context.bound(_KEPT), _parsed(sealed))


def _parsed(sealed: bytes) -> frame.Frame:
    """Return a frame taken apart; its key id says nothing here, and is 0."""
    parsed = frame.parse(sealed)
    if parsed.key_id != 0:
        raise Malformed("the key id of a lock is 0")
    return parsed
