"""What bodies of accounts are made of: emails, scopes, time zones, themes, and the parts of a set of keys."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from annotated_types import Len
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from lockleaf.wire.base import Body
from lockleaf.wire.fields import Bytes, Digest
from lockleaf.wire.tiers import Custody

__all__ = [
    "SCOPES",
    "ClientSalt",
    "CustodyChoice",
    "EmailText",
    "Kdf",
    "KeyringBytes",
    "Locale",
    "Name",
    "RecipientText",
    "RecoveryEntry",
    "RecoverySet",
    "Scope",
    "Theme",
    "TimeOfDay",
    "TimeZone",
]

CustodyChoice = Annotated[Custody, BeforeValidator(lambda given: _IN_CAPITALS.get(given, given))]
"""A custody as a person chooses it; diary clients write it in capitals."""
_IN_CAPITALS = {"E2E": "e2e", "UCE": "uce"}

SCOPES = ("account", "entries", "integrations", "media", "metrics", "search", "sync", "tags", "vault")
"""What a session can be opened for; ``NAME:read`` is the right to read alone."""

LONGEST_EMAIL = 254
# Text is for people to read, and PostgreSQL has no place for a NUL.
_NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"


def _stays_an_email(email: str) -> str:
    """Refuse what is an address only as it is written: a compatibility character can stand for "@", or for a blank."""
    known_as = unicodedata.normalize("NFKC", email).strip().casefold()
    if known_as.count("@") != 1 or len(known_as) > LONGEST_EMAIL or any(map(str.isspace, known_as)):
        raise ValueError("not an email address")
    return email


def _known_scopes(scope: str) -> str | None:
    """Return the names in ``scope`` once each, sorted; None for none, which means all."""
    names = set(scope.split())
    if not {name.removesuffix(":read") for name in names} <= set(SCOPES):
        raise ValueError(f"scopes are {', '.join(SCOPES)}, each also as NAME:read")
    return " ".join(sorted(names)) or None


EmailText = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=3,
        max_length=LONGEST_EMAIL,
        pattern=r"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$",
    ),
    AfterValidator(_stays_an_email),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128, pattern=_NO_CONTROL_CHARACTERS)]
Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$")]
RecipientText = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Scope = Annotated[str, StringConstraints(max_length=256), AfterValidator(_known_scopes)]


@cache
def _timezones() -> frozenset[str]:
    # "localtime" is whatever the machine says that it is: no name to keep.
    return frozenset(available_timezones() - {"localtime"})


def _is_timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError("not a time zone of the IANA database")
    return name


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_is_timezone)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]
ThemeKey = Annotated[str, StringConstraints(max_length=64, pattern=_NO_CONTROL_CHARACTERS)]
ThemeText = Annotated[str, StringConstraints(max_length=256, pattern=_NO_CONTROL_CHARACTERS)]
ThemeInteger = Annotated[int, Field(ge=-(2**53), le=2**53)]
ThemeNumber = Annotated[float, Field(allow_inf_nan=False)]
ClientSalt = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,256}$")]
"""A salt as a vault client writes it, in whatever encoding: returned unchanged."""
Theme = Annotated[dict[ThemeKey, ThemeText | ThemeInteger | ThemeNumber | bool | None], Len(0, 64)]

KeyringBytes = Annotated[Bytes, Len(34, 16384)]


class Kdf(Body):
    """Parameters by which the client derives its keys from the password. The server only keeps them."""

    algorithm: Literal["argon2id", "pbkdf2-sha256"]
    salt: Annotated[Bytes, Len(16, 16)]
    iterations: Annotated[int, Field(ge=1, le=10_000_000)]
    memory_kib: Annotated[int, Field(ge=8, le=1_048_576)] | None = None
    parallelism: Annotated[int, Field(ge=1, le=16)] | None = None

    @model_validator(mode="after")
    def _costs_of_the_algorithm(self) -> Self:
        given = {self.memory_kib is not None, self.parallelism is not None}
        if given != {self.algorithm == "argon2id"}:
            raise ValueError("argon2id takes memory_kib and parallelism, pbkdf2-sha256 takes neither")
        return self


class RecoveryEntry(Body):
    """One recovery code: the hash of its verifier, and the keyring sealed under its key."""

    verifier_hash: Digest
    keyring: KeyringBytes


def _each_once(recovery: tuple[RecoveryEntry, ...]) -> tuple[RecoveryEntry, ...]:
    if len({entry.verifier_hash for entry in recovery}) != len(recovery):
        raise ValueError("a recovery code occurs twice")
    return recovery


RecoverySet = Annotated[tuple[RecoveryEntry, ...], Len(1, 20), AfterValidator(_each_once)]
