"""Who an account is to others: an age X25519 recipient, and an Ed25519 signing key (PROTOCOL section 2).

A server uses the public halves; the secret ones are derived on the client from the newest master key.
"""

from __future__ import annotations

from collections.abc import Sequence

import bech32
import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from lockleaf.crypto.encoding import lp, u64
from lockleaf.crypto.errors import BadRecipient, Malformed, SealBroken

__all__ = [
    "checkpoint_message",
    "identity_from_seed",
    "open_sealed",
    "parse_recipient",
    "public_signing_key",
    "recipient_from_seed",
    "rotation_message",
    "seal_to",
    "sign",
    "verify",
]

_RECIPIENT = "age"
_IDENTITY = "age-secret-key-"
_KEY = 32
_MAX_RECIPIENT_TEXT = 90  # Bech32's own limit; an age recipient has 62 characters

_CHECKPOINT = b"lockleaf/1/checkpoint"
_ROTATION = b"lockleaf/1/rotation"

_FIELD_PRIME = 2**255 - 19
# Any scalar shows a low-order point: clamping makes it a multiple of 8, and the exchange gives zeros.
_PROBE = X25519PrivateKey.from_private_bytes(bytes(_KEY))


def _bech32(prefix: str, raw: bytes) -> str:
    words = bech32.convertbits(raw, 8, 5)
    assert words is not None  # bytes always convert
    return bech32.bech32_encode(prefix, words)


def recipient_from_seed(seed: bytes) -> str:
    """Return the age recipient ("age1...") of the X25519 secret ``seed``, 32 bytes."""
    return _bech32(_RECIPIENT, X25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


def identity_from_seed(seed: bytes) -> str:
    """Return the age identity ("AGE-SECRET-KEY-1...") of the X25519 secret ``seed``, 32 bytes. It is a secret."""
    if len(seed) != _KEY:
        raise Malformed("an X25519 secret is 32 bytes")
    return _bech32(_IDENTITY, seed).upper()


def parse_recipient(recipient: str | bytes) -> str:
    """Return a ``recipient`` in its one text form, once it is known to be usable.

    A low-order point would make age's library panic, and what is sealed to a point in a second encoding would not open
    again, so both are refused here, before anything is sealed.

    Arguments:
        recipient: "age1..." in lower or upper case, or the 32 raw bytes.

    Raises:
        BadRecipient: no X25519 recipient, a low-order point, or not in canonical encoding.
    """
    raw = _decode_recipient(recipient) if isinstance(recipient, str) else bytes(recipient)
    if len(raw) != _KEY:
        raise BadRecipient("a recipient has 32 bytes")
    if int.from_bytes(raw, "little") >= _FIELD_PRIME:
        raise BadRecipient("the recipient is not in canonical encoding")
    try:
        _PROBE.exchange(X25519PublicKey.from_public_bytes(raw))
    except ValueError:
        raise BadRecipient("the recipient is a point of low order") from None
    return _bech32(_RECIPIENT, raw)


def _decode_recipient(text: str) -> bytes:
    if len(text) > _MAX_RECIPIENT_TEXT:
        raise BadRecipient("too long for a recipient")
    prefix, words = bech32.bech32_decode(text)
    raw = None if prefix != _RECIPIENT or words is None else bech32.convertbits(words, 5, 8, False)
    if raw is None:
        raise BadRecipient("not an age X25519 recipient")
    return bytes(raw)


def seal_to(recipient: str, data: bytes) -> bytes:
    """Return ``data`` as an age file that only the ``recipient``'s identity opens.

    Raises:
        BadRecipient: see ``parse_recipient``.
    """
    sealed: bytes = pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(parse_recipient(recipient))])
    return sealed


def open_sealed(identities: Sequence[str], data: bytes) -> bytes:
    """Return what an age file holds, opened by whichever of the ``identities`` it was sealed to.

    Raises:
        SealBroken: it was sealed to none of them, is damaged or cut, or is no age file.
        Malformed: an identity is invalid.
    """
    try:
        opened: bytes = pyrage.decrypt(data, [pyrage.x25519.Identity.from_str(identity) for identity in identities])
    except pyrage.DecryptError:
        raise SealBroken("the age file does not open") from None
    except pyrage.IdentityError:
        raise Malformed("not an age X25519 identity") from None
    return opened


def sign(seed: bytes, message: bytes) -> bytes:
    """Return the 64-byte Ed25519 signature of ``message`` by the key of ``seed``, 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether ``signature`` over ``message`` is by ``public_key`` (32 bytes); False for any malformed input."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_signing_key(seed: bytes) -> bytes:
    """Return the 32-byte Ed25519 public key of ``seed``, 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def checkpoint_message(user_id: str, epoch: str, seq: int, head: bytes, device_id: str, time: str) -> bytes:
    """Return what a device signs after a sync, to tell the others which history it saw.

    Arguments:
        head: 32 bytes, the head at ``seq``.
        time: RFC 3339 text, as it is posted.

    Raises:
        Malformed: ``head`` is not 32 bytes, or ``seq`` does not fit.
    """
    if len(head) != _KEY:
        raise Malformed("a head is not 32 bytes")
    return b"".join((_CHECKPOINT, lp(user_id), lp(epoch), u64(seq), head, lp(device_id), lp(time)))


def rotation_message(user_id: str, keyring_version: int, recipient: str, signing_key: bytes) -> bytes:
    """Return what the previous signing key signs when a new key pair takes over.

    Arguments:
        keyring_version: the version that brings the new pair.
        recipient: the new age recipient in its text form.
        signing_key: the new Ed25519 public key, 32 bytes.

    Raises:
        Malformed: ``signing_key`` is not 32 bytes, or the version does not fit.
    """
    if len(signing_key) != _KEY:
        raise Malformed("a signing key is not 32 bytes")
    return b"".join((_ROTATION, lp(user_id), u64(keyring_version), lp(recipient), lp(signing_key)))
