"""From a password to keys, off the event loop and with the errors of the SDK."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from lockleaf.client.errors import KdfWeakened, PasswordNotText
from lockleaf.crypto import kdf
from lockleaf.crypto.errors import Malformed, WeakKdf
from lockleaf.crypto.kdf import KdfParameters, PasswordKeys
from lockleaf.lazy import late
from lockleaf.text import is_utf8

if TYPE_CHECKING:
    from lockleaf.wire import account_fields
else:
    account_fields = late("lockleaf.wire.account_fields")  # for who logs in

__all__ = ["fresh_parameters", "kdf_from_wire", "kdf_to_wire", "login_floor", "require_text", "unlock"]


def kdf_to_wire(params: KdfParameters) -> account_fields.Kdf:
    """Return the parameters as they travel and as a profile keeps them."""
    return account_fields.Kdf(
        algorithm=params.algorithm,
        salt=params.salt,
        iterations=params.iterations,
        memory_kib=params.memory_kib,
        parallelism=params.parallelism,
    )


def kdf_from_wire(wire: account_fields.Kdf) -> KdfParameters:
    """Return the parameters that `kdf_to_wire` made. Their strength is not judged here."""
    return KdfParameters(wire.algorithm, wire.salt, wire.iterations, wire.memory_kib, wire.parallelism)


def fresh_parameters(present: KdfParameters, *, allow_test_parameters: bool = False) -> KdfParameters:
    """Return parameters for a new password: never weaker than the present ones or the default, with a fresh salt."""
    default = kdf.DEFAULT.new()
    if not allow_test_parameters and kdf.is_weaker(present, default):
        return default
    return replace(present, salt=secrets.token_bytes(len(present.salt)))


def require_text(password: str) -> None:
    """Make sure that a password is text that every device can type.

    Raises:
        PasswordNotText: it holds bytes that were not UTF-8 where it was read.
    """
    if not is_utf8(password):
        raise PasswordNotText


def login_floor(
    offered: KdfParameters,
    remembered: KdfParameters | None,
    *,
    linked: KdfParameters | None = None,
    allow_pbkdf2: bool = False,
    allow_weak_kdf: bool = False,
) -> KdfParameters | None:
    """Return the parameters than which those of a login must not be weaker; None where the caller allows any.

    A device that meets an account for the first time has nobody's word but the server's, so it holds to the defaults;
    with a link code it has another device's word.

    Args:
        offered: what the server named.
        remembered: what this device last used for the account.
        linked: what a link code states.
        allow_pbkdf2: the caller asked for pbkdf2.
        allow_weak_kdf: the caller asked for parameters that are weaker than the defaults.
    """
    if remembered is not None:
        return remembered
    if linked is not None:
        return linked
    if allow_weak_kdf or (allow_pbkdf2 and offered.algorithm == "pbkdf2-sha256"):
        return None
    return kdf.DEFAULT.new()


async def unlock(
    password: str,
    login_name: str,
    params: KdfParameters,
    *,
    remembered: KdfParameters | None,
    allow_pbkdf2: bool = False,
    allow_test_parameters: bool = False,
) -> PasswordKeys:
    """Return the keys of a password under parameters that a server named, once they are found good enough.

    Args:
        password: as the user types it.
        login_name: the account's email address or name: the KDF salt depends on it.
        params: what the server named.
        remembered: what this device last used for the account, or None.
        allow_pbkdf2: the caller asked for pbkdf2.
        allow_test_parameters: accept parameters that are far too cheap.

    Raises:
        PasswordNotText: the password is no text.
        KdfWeakened: the parameters are outside the limits or weaker than those remembered; nothing was derived.
    """
    require_text(password)
    try:
        # Long and in native code: in a thread, the event loop goes on.
        return await asyncio.to_thread(
            kdf.unlock,
            password,
            login_name,
            params,
            remembered=remembered,
            # An account that this device already uses with pbkdf2 was asked for with it.
            allow_pbkdf2=allow_pbkdf2 or (remembered is not None and remembered.algorithm == "pbkdf2-sha256"),
            allow_test_parameters=allow_test_parameters,
        )
    except (WeakKdf, Malformed):
        raise KdfWeakened from None
