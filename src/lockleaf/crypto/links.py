"""Link codes: what a new device needs to believe nothing on first contact (PROTOCOL section 5). No secret is in one.

The bytes: a version (1 byte, 1), the server's URL, the account's id, its key derivation, the keyring's version, the
signing key, and the epoch, number and head where the history stood; then the first four bytes of SHA-256 of all that.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from lockleaf.crypto import base32
from lockleaf.crypto.encoding import lp, pack, strict_unpack, u64
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.kdf import KdfParameters

__all__ = ["LinkCode"]

_VERSION = b"\x01"
_KEY = _HEAD = 32
_CHECK = 4


@dataclass(frozen=True, slots=True)
class LinkCode:
    """What one device of an account says of it to another.

    Arguments:
        server: the URL under which the account is reached.
        user_id: the account's UUID as lower-case text.
        kdf: the account's key derivation.
        keyring_version: 0 .. 2**64 - 1.
        signing_key: 32 bytes, the Ed25519 public key of the newest master key.
        epoch, seq, head: where the verified history ends; the head is 32 bytes.
    """

    server: str
    user_id: str
    kdf: KdfParameters
    keyring_version: int
    signing_key: bytes
    epoch: str
    seq: int
    head: bytes

    def text(self) -> str:
        """Return the code as it is shown: digits in Crockford's base32.

        Raises:
            Malformed: a field is not as described.
        """
        if len(self.signing_key) != _KEY or len(self.head) != _HEAD:
            raise Malformed("a key and a head are 32 bytes")
        said = b"".join(
            (
                _VERSION,
                lp(self.server),
                lp(self.user_id),
                lp(pack(_kdf_fields(self.kdf))),
                u64(self.keyring_version),
                self.signing_key,
                lp(self.epoch),
                u64(self.seq),
                self.head,
            )
        )
        return base32.encode(said + sha256(said).digest()[:_CHECK])

    @classmethod
    def parse(cls, text: str) -> LinkCode:
        """Return what ``text`` says; dashes, blanks and lower case are accepted.

        Raises:
            Malformed: it is no link code, or a digit was changed or lost.
        """
        data = base32.decode(text)
        said, check = data[:-_CHECK], data[-_CHECK:]
        if len(check) != _CHECK or sha256(said).digest()[:_CHECK] != check:
            raise Malformed("the check does not fit")
        reader = _Reader(said)
        if reader.take(1) != _VERSION:
            raise Malformed("an unknown version")
        server, user_id, packed = reader.text(), reader.text(), reader.block()
        version, key = reader.number(), reader.take(_KEY)
        code = cls(server, user_id, _kdf_of(packed), version, key, reader.text(), reader.number(), reader.take(_HEAD))
        reader.end()
        return code


def _kdf_fields(kdf: KdfParameters) -> dict[str, Any]:
    """The parameters as the one map that stands for them: names in the order of their bytes, absent ones left out."""
    fields = {
        "algorithm": kdf.algorithm,
        "iterations": kdf.iterations,
        "memory_kib": kdf.memory_kib,
        "parallelism": kdf.parallelism,
        "salt": kdf.salt,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _kdf_of(packed: bytes) -> KdfParameters:
    fields = strict_unpack(packed)
    try:
        kdf = KdfParameters(**fields)
    except TypeError:
        raise Malformed("a key derivation that is not one") from None
    numbers = (kdf.iterations, kdf.memory_kib, kdf.parallelism)
    if (
        kdf.algorithm not in ("argon2id", "pbkdf2-sha256")
        or not isinstance(kdf.salt, bytes)
        or not all(value is None or type(value) is int for value in numbers)
        # Another order of the names, or a longer form of a number, would be another text for the same code.
        or pack(_kdf_fields(kdf)) != packed
    ):
        raise Malformed("a key derivation that is not one")
    return kdf


class _Reader:
    """Takes fields off bytes, from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        taken, self._data = self._data[:size], self._data[size:]
        if len(taken) != size:
            raise Malformed("it ends too early")
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(8), "big")

    def block(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))

    def text(self) -> str:
        try:
            return self.block().decode()
        except UnicodeDecodeError:
            raise Malformed("a text that is not UTF-8") from None

    def end(self) -> None:
        if self._data:
            raise Malformed("something follows")
