"""A census: one key for all metrics of an account, and the point of its history from which changes are counted.

The device that begins a census counts every entry as it stands there, and each device after it what it changes. So the
sums are whole from the start, whatever was written before. A census ends where its sums do: they were deleted, or the
server's history is not the one that it was begun in.

Its key travels sealed as a record is, in a collection of its own, with the server's version for a revision: a server
can hand out neither a key of its making nor one of another account, and an older one is told by its number.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from lockleaf.client.errors import SealBroken
from lockleaf.crypto import errors as crypto_errors
from lockleaf.crypto.envelope import RecordContext, open_record, parse, seal_record
from lockleaf.crypto.history import ZERO, meta
from lockleaf.crypto.keyring import Keyring
from lockleaf.he.params import CKKS_4096

__all__ = ["PARAMETERS", "Census", "sealed_under"]

PARAMETERS: Final = CKKS_4096
"""The set for packed metrics. A month of four metrics takes 60 KB in it, a fifth of what ckks-8192 takes, and is exact
to a hundredth of a word; it has no products, and squares have slots of their own."""

_COLLECTION = "he-keys"
_TYPE = "he-key"
_NO_META = meta((), None, None)
_HIGHEST = 2**53
"""More than any account counts to: a number that somebody made up must leave room for the ones after it."""


@dataclass(frozen=True, slots=True)
class Census:
    """A census of an account's entries.

    Attributes:
        census_id: 12 hexadecimal digits, which also stand in the names of its layouts: sums under two keys never mix.
        number: higher than that of every census before it.
        epoch: of the history in which it was begun; None where the server holds no entries.
        seq: the end of the history at that point.
        maker: the id of the device that began it.
        key: the secret key, as ``he.keys`` writes it; empty for a census of nothing, by which all devices learn that
            nothing is counted any more.
    """

    census_id: str
    number: int
    epoch: str | None
    seq: int
    maker: str
    key: bytes = field(repr=False)

    @property
    def off(self) -> bool:
        """Whether nothing is counted."""
        return not self.key

    @classmethod
    def new(cls, *, number: int, epoch: str | None, seq: int, maker: str, key: bytes) -> Census:
        """Return a census that begins here."""
        return cls(secrets.token_hex(6), number, epoch, seq, maker, key)

    def to_map(self) -> dict[str, Any]:
        """Return what is kept of it, without the key."""
        return {
            "census": self.census_id,
            "number": self.number,
            "epoch": self.epoch,
            "seq": self.seq,
            "maker": self.maker,
        }

    @classmethod
    def from_map(cls, found: dict[str, Any], key: bytes) -> Census:
        """Return the census that ``to_map`` described.

        Raises:
            KeyError, TypeError: it holds no census.
        """
        census_id, number, epoch, seq, maker = (found[n] for n in ("census", "number", "epoch", "seq", "maker"))
        texts = (census_id, maker, *(() if epoch is None else (epoch,)))
        if not all(isinstance(each, str) for each in texts) or not isinstance(key, bytes):
            raise TypeError
        if not all(isinstance(each, int) and 0 <= each <= _HIGHEST for each in (number, seq)):
            raise TypeError
        return cls(census_id, number, epoch, seq, maker, key)

    # ---- the sealed form ----

    def seal(self, keyring: Keyring, user_id: str, version: int) -> bytes:
        """Return it sealed for the account's devices, as ``version`` of its key at the server."""
        return seal_record(keyring, _context(user_id, version), {"type": _TYPE, "key": self.key} | self.to_map())

    @classmethod
    def open(cls, keyring: Keyring, user_id: str, version: int, sealed: bytes) -> Census:
        """Return the census in bytes that a server gave as ``version`` of the key.

        Raises:
            SealBroken: no device of the account sealed it as that.
        """
        try:
            found = open_record(keyring, _context(user_id, version), sealed)
            if found.get("type") != _TYPE:
                raise TypeError
            return cls.from_map(found, found["key"])
        except (crypto_errors.SealBroken, crypto_errors.UnknownKey, crypto_errors.Malformed, KeyError, TypeError):
            raise SealBroken("the key for metrics") from None


def sealed_under(sealed: bytes) -> int:
    """Return the id of the master key under which bytes that were opened already are sealed."""
    return parse(sealed).key_id


def _context(user_id: str, version: int) -> RecordContext:
    return RecordContext(user_id, _COLLECTION, PARAMETERS.name, version, ZERO, False, _NO_META)
