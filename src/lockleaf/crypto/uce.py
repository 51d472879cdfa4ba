"""User-controlled encryption: what wraps a keyring whose server may open it during a session (PROTOCOL section 7).

The user's secret gives the key-encryption key, which seals the keyring. Between a login and its logout the server keeps
that key sealed under a session key that only the session's tokens carry: the database without a token opens nothing, a
token without the database opens nothing.
"""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from lockleaf.crypto import frame
from lockleaf.crypto.encoding import lp
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.hkdf import KEY_LENGTH, hkdf
from lockleaf.crypto.normalise import normalise_password

__all__ = [
    "KEK_SALT_LENGTH",
    "derive_kek",
    "new_session_key",
    "open_kek",
    "open_successor",
    "seal_kek",
    "seal_successor",
]

KEK_SALT_LENGTH = 16

_ITERATIONS = 2
_MEMORY_KIB = 65_536
_LANES = 1

_KEK = b"lockleaf/1/uce-kek"
_SESSION = b"lockleaf/1/uce-session"
_SUCCESSOR = b"lockleaf/1/uce-successor"
_NO_KEY_ID = 0  # in the header: no master key sealed this


def derive_kek(secret: str, salt: bytes) -> bytes:
    """Return the 32-byte key-encryption key of a user's ``secret``.

    Takes some 0.1 s and 64 MiB; the interpreter's lock is released meanwhile.

    Arguments:
        secret: the password as its user types it.
        salt: 16 bytes, the account's own.

    Raises:
        Malformed: the salt has another length, or the secret no UTF-8 form.
    """
    if len(salt) != KEK_SALT_LENGTH:
        raise Malformed("the salt of a key-encryption key is 16 bytes")
    try:
        typed = normalise_password(secret).encode()
    except UnicodeEncodeError:
        raise Malformed("the password has no UTF-8 form") from None
    stretch = Argon2id(salt=salt, length=KEY_LENGTH, iterations=_ITERATIONS, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return hkdf(stretch.derive(typed), _KEK)


def new_session_key() -> bytes:
    """Return a fresh session key, 32 random bytes."""
    return secrets.token_bytes(KEY_LENGTH)


def _aad(label: bytes, user_id: str, session_id: str) -> bytes:
    return label + lp(user_id) + lp(session_id)


def seal_kek(session_key: bytes, kek: bytes, *, user_id: str, session_id: str, suite: int = frame.AES_256_GCM) -> bytes:
    """Return the key-encryption key sealed under a session's key, bound to the session.

    Arguments:
        user_id, session_id: UUIDs as lower-case text.
    """
    return frame.seal(session_key, _aad(_SESSION, user_id, session_id), kek, _NO_KEY_ID, suite)


def open_kek(session_key: bytes, sealed: bytes, *, user_id: str, session_id: str) -> bytes:
    """Return the key-encryption key in ``sealed``.

    Raises:
        SealBroken: another session's key, or other bytes.
        Malformed: it is no frame.
    """
    return frame.open(session_key, _aad(_SESSION, user_id, session_id), sealed)


def seal_successor(session_key: bytes, next_key: bytes, *, user_id: str, session_id: str, suite: int) -> bytes:
    """Return the session key of the next generation sealed under this one's.

    By it a refresh that is repeated because its answer was lost is answered with the same tokens. It tells the holder
    of the older token nothing that this token did not give before: both open the same key-encryption key.
    """
    return frame.seal(session_key, _aad(_SUCCESSOR, user_id, session_id), next_key, _NO_KEY_ID, suite)


def open_successor(session_key: bytes, sealed: bytes, *, user_id: str, session_id: str) -> bytes:
    """Return the next generation's session key in ``sealed``.

    Raises:
        SealBroken: another session's key, or other bytes.
        Malformed: it is no frame.
    """
    return frame.open(session_key, _aad(_SUCCESSOR, user_id, session_id), sealed)
