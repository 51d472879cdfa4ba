"""What can go wrong in cryptography. No message holds a key, a password, a code or content."""

from __future__ import annotations

__all__ = [
    "BadRecipient",
    "BadRecoveryCode",
    "CryptoError",
    "Malformed",
    "SealBroken",
    "TooLarge",
    "UnknownKey",
    "WeakKdf",
]


class CryptoError(Exception):
    """The base of every error of ``lockleaf.crypto``."""


class SealBroken(CryptoError):
    """A seal does not open: another key, other bytes, or another place than it was made for."""


class UnknownKey(SealBroken):
    """A seal names a key that the keyring does not have; a newer keyring may have it."""


class Malformed(CryptoError):
    """Bytes are not in the protocol's form: version, suite, length, filler, or something trailing."""


class TooLarge(CryptoError):
    """A plaintext is longer than a record may be."""


class WeakKdf(CryptoError):
    """Key derivation parameters are outside the fixed limits, or weaker than those remembered."""


class BadRecipient(CryptoError):
    """A public key is not a usable age X25519 recipient."""


class BadRecoveryCode(CryptoError):
    """A text is not a recovery code."""
