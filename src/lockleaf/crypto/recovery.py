"""Recovery codes: 100 random bits on paper that open the keyring when the password is lost (PROTOCOL section 2).

The bytes that enter HKDF are the code's 100 bits as a big-endian number in 13 bytes: four zero bits, then the twenty
Crockford digits of five bits each, the first digit the most significant.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

from lockleaf.crypto import base32
from lockleaf.crypto.errors import BadRecoveryCode
from lockleaf.crypto.hkdf import hkdf

__all__ = ["CODE_BITS", "new_code", "normalise_code", "recovery_key", "verifier", "verifier_hash"]

CODE_BITS = 100

_DIGITS = 20
_GROUP = 5
_BYTES = 13

_VERIFIER = b"lockleaf/1/recovery-verifier"
_KEY = b"lockleaf/1/recovery-key"


def new_code() -> str:
    """Return a fresh code of 100 random bits, shown as ``XXXXX-XXXXX-XXXXX-XXXXX``."""
    digits = "".join(secrets.choice(base32.ALPHABET) for _ in range(_DIGITS))
    return "-".join(digits[start : start + _GROUP] for start in range(0, _DIGITS, _GROUP))


def normalise_code(code: str) -> bytes:
    """Return the 13 bytes of a ``code`` as a person types it.

    Lower case, missing or other dashes, blanks, O for 0 and I or L for 1 are accepted.

    Raises:
        BadRecoveryCode: it is not twenty Crockford digits.
    """
    digits = base32.without_separators(code)
    if len(digits) != _DIGITS:
        raise BadRecoveryCode("a recovery code has twenty letters and digits")
    number = 0
    for digit in digits:
        value = base32.value_of(digit)
        if value is None:
            raise BadRecoveryCode("a recovery code has only the digits and the letters except U")
        number = number << 5 | value
    return number.to_bytes(_BYTES, "big")


def verifier(code: str) -> bytes:
    """Return the 32 bytes that show the server that one has the ``code``, without showing the code.

    Raises:
        BadRecoveryCode: it is no code.
    """
    return hkdf(normalise_code(code), _VERIFIER)


def recovery_key(code: str) -> bytes:
    """Return the 32-byte key under which the keyring is sealed for this ``code``.

    Raises:
        BadRecoveryCode: it is no code.
    """
    return hkdf(normalise_code(code), _KEY)


def verifier_hash(verifier: bytes) -> bytes:
    """Return the SHA-256 that the server keeps of a ``verifier``; 100 random bits need no slow hash."""
    return sha256(verifier).digest()
