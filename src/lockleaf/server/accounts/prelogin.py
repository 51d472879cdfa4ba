"""What is shown of an email's key derivation: the truth, or what cannot be told from it (PROTOCOL section 1)."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any

from lockleaf.wire.account_fields import Kdf
from lockleaf.wire.fields import decode_base64

__all__ = ["kdf_from_stored", "kdf_to_stored", "shown_kdf"]

SALT_LENGTH = 16


def shown_kdf(prelogin_key: bytes, email: str, stored: dict[str, Any] | None) -> Kdf:
    """Return the parameters to show for a normalised ``email``.

    Args:
        prelogin_key: the key that is never rotated: parameters that changed would show which emails have no account.
        email: normalised.
        stored: the account's own parameters; None without an account, or for one that never gave any.
    """
    # Made in either case: how long the answer takes must not tell.
    salt = hmac.digest(prelogin_key, email.encode(), sha256)[:SALT_LENGTH]
    invented = Kdf(algorithm="argon2id", salt=salt, memory_kib=65536, iterations=3, parallelism=1)
    return invented if stored is None else kdf_from_stored(stored)


def kdf_to_stored(kdf: Kdf) -> dict[str, Any]:
    """Return ``kdf`` as the database keeps it: its JSON form."""
    return kdf.model_dump(mode="json", exclude_none=True)


def kdf_from_stored(stored: dict[str, Any]) -> Kdf:
    """Return the parameters that the database keeps."""
    return Kdf.model_validate({**stored, "salt": decode_base64(stored["salt"])})
