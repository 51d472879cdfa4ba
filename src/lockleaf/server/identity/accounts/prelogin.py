"""What is shown of an account's key derivation: the truth, or what cannot be told from it (PROTOCOL section 1).

Salts of vault clients are text in an encoding of their own choice. What is shown where there is no account has to look
like them, so an operator names the encoding; a client that uses another is told apart by it.
"""

from __future__ import annotations

import hmac
from hashlib import sha256, sha512
from typing import Any

from lockleaf.server.platform.settings import PreloginSettings
from lockleaf.wire.account_fields import Kdf
from lockleaf.wire.fields import decode_base64, encode_base64

__all__ = ["kdf_from_stored", "kdf_to_stored", "shown_kdf", "shown_salt"]

SALT_LENGTH = 16
_OF_VAULT_CLIENTS = b"\0salt\0"
"""Before a name in what is hashed: no email and no name has such characters."""


def shown_kdf(prelogin_key: bytes, email: str, stored: dict[str, Any] | None) -> Kdf:
    """Return the parameters to show for a normalised ``email``.

    Args:
        prelogin_key: the key that is never rotated: parameters that changed would show which emails have no account.
        email: normalised, or a name.
        stored: the account's own parameters; None without an account, or for one that never gave any.
    """
    # Made in either case: how long the answer takes must not tell.
    salt = hmac.digest(prelogin_key, email.encode(), sha256)[:SALT_LENGTH]
    invented = Kdf(algorithm="argon2id", salt=salt, memory_kib=65536, iterations=3, parallelism=1)
    return invented if stored is None else kdf_from_stored(stored)


def shown_salt(prelogin_key: bytes, login_name: str, stored: str | None, form: PreloginSettings) -> str:
    """Return the salt to show for a normalised email or name, in the form that vault clients here use.

    Args:
        prelogin_key: as for `shown_kdf`.
        stored: what the account's client sent; None without an account, or where its client sent nothing.
        form: how an invented one is written.
    """
    salt = hmac.digest(prelogin_key, _OF_VAULT_CLIENTS + login_name.encode(), sha512)[: form.salt_bytes]
    invented = salt.hex() if form.salt_encoding == "hex" else encode_base64(salt)
    return invented if stored is None else stored


def kdf_to_stored(kdf: Kdf) -> dict[str, Any]:
    """Return ``kdf`` as the database keeps it: its JSON form."""
    return kdf.model_dump(mode="json", exclude_none=True)


def kdf_from_stored(stored: dict[str, Any]) -> Kdf:
    """Return the parameters that the database keeps."""
    return Kdf.model_validate({**stored, "salt": decode_base64(stored["salt"])})
