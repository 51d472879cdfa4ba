"""Factor codes: what stands for the second factor when it is lost, on paper, each one time.

They are no recovery codes. A recovery code opens the keyring and sets a new password; a factor code does neither. So
the password and one paper, or either paper alone, let nobody in (docs/decisions/0073).
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from uuid import UUID

from lockleaf.crypto import base32
from lockleaf.crypto.errors import Malformed
from lockleaf.wire.factors import CODES

__all__ = ["digest", "new_codes"]

_BYTES = 10
_GROUP = 4
_LABEL = b"lockleaf/1/factor-code"


def new_codes() -> tuple[str, ...]:
    """Return ten codes of 80 random bits, as ``XXXX-XXXX-XXXX-XXXX``."""
    return tuple(_grouped(base32.encode(secrets.token_bytes(_BYTES))) for _ in range(CODES))


def digest(user_id: UUID, code: str) -> bytes | None:
    """Return what is kept of a code, as a person types it; None if it is no such code.

    A fast digest: 80 random bits are not guessed, whoever has the database.
    """
    try:
        bits = base32.decode(code)
    except Malformed:
        return None
    return sha256(_LABEL + user_id.bytes + bits).digest() if len(bits) == _BYTES else None


def _grouped(digits: str) -> str:
    return "-".join(digits[place : place + _GROUP] for place in range(0, len(digits), _GROUP))
