"""From a password to keys, on the client (PROTOCOL section 1).

``unlock`` is the safe call: it refuses parameters that a lying server may have weakened before it derives anything.
Argon2id comes from ``cryptography`` (OpenSSL): it is as fast as argon2-cffi, releases the interpreter's lock as well,
and keeps all of a client's primitives in one library.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from lockleaf.crypto.encoding import decode_base64, encode_base64, lp
from lockleaf.crypto.errors import Malformed, WeakKdf
from lockleaf.crypto.hkdf import KEY_LENGTH, hkdf
from lockleaf.crypto.normalise import normalise_email, normalise_password

__all__ = [
    "CHEAPEST",
    "COMPATIBLE",
    "DEFAULT",
    "Algorithm",
    "KdfParameters",
    "KdfProfile",
    "PasswordKeys",
    "check_limits",
    "derive",
    "is_weaker",
    "normalise_email",
    "normalise_password",
    "unlock",
]

Algorithm = Literal["argon2id", "pbkdf2-sha256"]

SALT_LENGTH = 16

_SALT = b"lockleaf/1/salt"
_AUTH = b"lockleaf/1/auth"
_WRAP = b"lockleaf/1/wrap"

# The floors are OWASP's (Password Storage Cheat Sheet); the ceilings keep a hostile server from stopping a phone.
_ARGON2ID_MEMORY_KIB = range(19_456, 1_048_576 + 1)
_ARGON2ID_ITERATIONS = range(2, 16 + 1)
_ARGON2ID_PARALLELISM = range(1, 8 + 1)
_PBKDF2_ITERATIONS = range(600_000, 10_000_000 + 1)


@dataclass(frozen=True, slots=True)
class KdfParameters:
    """How one account's password is turned into keys.

    Arguments:
        algorithm: ``argon2id`` or ``pbkdf2-sha256``.
        salt: 16 bytes, public.
        iterations: passes (argon2id) or rounds (pbkdf2).
        memory_kib, parallelism: argon2id only, else None.
    """

    algorithm: Algorithm
    salt: bytes
    iterations: int
    memory_kib: int | None = None
    parallelism: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the parameters as they travel in JSON: the salt in base64, absent fields left out."""
        wire: dict[str, Any] = {
            "algorithm": self.algorithm,
            "salt": encode_base64(self.salt),
            "iterations": self.iterations,
            "memory_kib": self.memory_kib,
            "parallelism": self.parallelism,
        }
        return {name: value for name, value in wire.items() if value is not None}

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> KdfParameters:
        """Return the parameters in ``wire``. Their strength is not judged here: see ``check_limits``.

        Raises:
            Malformed: an unknown algorithm, a missing or surplus cost, or a value of the wrong type.
        """
        algorithm, salt = wire.get("algorithm"), wire.get("salt")
        if algorithm not in ("argon2id", "pbkdf2-sha256"):
            raise Malformed("the key derivation algorithm is unknown")
        if not isinstance(salt, str):
            raise Malformed("the key derivation salt is not base64")
        costs = [wire.get(name) for name in ("iterations", "memory_kib", "parallelism")]
        wanted = costs if algorithm == "argon2id" else costs[:1]
        if any(type(cost) is not int for cost in wanted):
            raise Malformed("a key derivation cost is missing or not a number")
        if any(cost is not None for cost in costs[len(wanted) :]):
            raise Malformed("a key derivation cost is given that the algorithm does not have")
        iterations, memory_kib, parallelism = costs
        assert iterations is not None
        return cls(algorithm, decode_base64(salt), iterations, memory_kib, parallelism)


@dataclass(frozen=True, slots=True)
class KdfProfile:
    """Named costs. ``new`` draws a salt for them."""

    algorithm: Algorithm
    iterations: int
    memory_kib: int | None = None
    parallelism: int | None = None

    def new(self) -> KdfParameters:
        """Return these costs with a fresh random salt."""
        salt = secrets.token_bytes(SALT_LENGTH)
        return KdfParameters(self.algorithm, salt, self.iterations, self.memory_kib, self.parallelism)


DEFAULT = KdfProfile("argon2id", iterations=3, memory_kib=65_536, parallelism=1)
"""About 0.2 s on one core: RFC 9106's second recommendation, on one lane."""

COMPATIBLE = KdfProfile("pbkdf2-sha256", iterations=600_000)
"""For clients that have nothing else, such as a browser without WebAssembly."""

CHEAPEST = KdfProfile("argon2id", iterations=1, memory_kib=8, parallelism=1)
"""For tests only: below the floors."""


@dataclass(frozen=True, slots=True)
class PasswordKeys:
    """What a password gives.

    Arguments:
        auth_secret: 32 bytes, sent (in base64) where other systems send a password.
        wrap_key: 32 bytes, never sent; opens the keyring.
    """

    auth_secret: bytes = field(repr=False)
    wrap_key: bytes = field(repr=False)

    @property
    def auth_secret_b64(self) -> str:
        """The authentication secret as it is sent."""
        return encode_base64(self.auth_secret)


def check_limits(params: KdfParameters, *, allow_pbkdf2: bool = False, allow_test_parameters: bool = False) -> None:
    """Refuse parameters that are too cheap to protect a password, or so dear that they would stop the device.

    Arguments:
        allow_pbkdf2: the caller asked for pbkdf2 itself.
        allow_test_parameters: drop the floors (for ``CHEAPEST``), keep the ceilings.

    Raises:
        WeakKdf: a parameter is outside its limits, or pbkdf2 was not asked for.
    """
    if len(params.salt) != SALT_LENGTH:
        raise WeakKdf("the key derivation salt is not 16 bytes")
    costs: list[tuple[str, int | None, range]]
    if params.algorithm == "argon2id":
        costs = [
            ("memory_kib", params.memory_kib, _ARGON2ID_MEMORY_KIB),
            ("iterations", params.iterations, _ARGON2ID_ITERATIONS),
            ("parallelism", params.parallelism, _ARGON2ID_PARALLELISM),
        ]
    elif allow_pbkdf2:
        costs = [("iterations", params.iterations, _PBKDF2_ITERATIONS)]
    else:
        raise WeakKdf("pbkdf2 is refused unless it is asked for")
    for name, cost, limits in costs:
        floor = 1 if allow_test_parameters else limits.start
        if cost is None or not floor <= cost < limits.stop:
            raise WeakKdf(f"{name} is outside {floor}..{limits.stop - 1}")


def is_weaker(candidate: KdfParameters, remembered: KdfParameters) -> bool:
    """Say whether a guess at the password costs less under ``candidate`` than under ``remembered``.

    Any pbkdf2 is weaker than any argon2id. Argon2id is weaker if memory or iterations is lower: neither makes up for
    the other. Parallelism does not change what a guess costs in sum.
    """
    if candidate.algorithm != remembered.algorithm:
        return candidate.algorithm == "pbkdf2-sha256"
    if candidate.iterations < remembered.iterations:
        return True
    return candidate.algorithm == "argon2id" and (candidate.memory_kib or 0) < (remembered.memory_kib or 0)


def derive(password: str, email: str, params: KdfParameters) -> PasswordKeys:
    """Return the keys of a ``password``. It checks no limits: use ``unlock`` for parameters that came from outside.

    Takes as long as the parameters ask for, and their memory; the interpreter's lock is released meanwhile.

    Raises:
        Malformed: the algorithm cannot run with these costs, or a text has no UTF-8 form.
    """
    salt = sha256(_SALT + lp(normalise_email(email)) + lp(params.salt)).digest()[:SALT_LENGTH]
    try:
        root = _stretch(params, salt).derive(normalise_password(password).encode())
    except UnicodeEncodeError:
        raise Malformed("the password has no UTF-8 form") from None
    return PasswordKeys(auth_secret=hkdf(root, _AUTH), wrap_key=hkdf(root, _WRAP))


def _stretch(params: KdfParameters, salt: bytes) -> Argon2id | PBKDF2HMAC:
    try:
        if params.algorithm == "pbkdf2-sha256":
            return PBKDF2HMAC(SHA256(), KEY_LENGTH, salt, params.iterations)
        if params.memory_kib is None or params.parallelism is None:
            raise Malformed("argon2id needs memory_kib and parallelism")
        return Argon2id(
            salt=salt,
            length=KEY_LENGTH,
            iterations=params.iterations,
            lanes=params.parallelism,
            memory_cost=params.memory_kib,
        )
    except (ValueError, OverflowError):
        raise Malformed("the key derivation cannot run with these costs") from None


def unlock(
    password: str,
    email: str,
    params: KdfParameters,
    *,
    remembered: KdfParameters | None,
    allow_pbkdf2: bool = False,
    allow_test_parameters: bool = False,
) -> PasswordKeys:
    """Return the keys of a ``password`` under parameters that a server named, once these are found good enough.

    Arguments:
        remembered: the parameters that this device last used for the account; None on first use, or if the caller is
            itself changing them.
        allow_pbkdf2, allow_test_parameters: as for ``check_limits``.

    Raises:
        WeakKdf: the parameters are outside the limits or weaker than those remembered; nothing was derived.
    """
    check_limits(params, allow_pbkdf2=allow_pbkdf2, allow_test_parameters=allow_test_parameters)
    if remembered is not None and is_weaker(params, remembered):
        raise WeakKdf("the key derivation parameters are weaker than those remembered for this account")
    return derive(password, email, params)
