"""age files of any length, sealed and opened as they are read, so that nothing of them is ever whole in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pyrage

from lockleaf.crypto.errors import Malformed, SealBroken
from lockleaf.crypto.identity import parse_recipient

__all__ = ["Reader", "Writer", "open_stream", "seal_stream"]


class Reader(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""


class Writer(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Take ``data`` whole."""

    def flush(self) -> None:
        """Pass on what is held back."""


class _Watched:
    """A reader or writer that remembers what it raised: age's library passes on the text of an exception alone."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.raised: BaseException | None = None

    def _do(self, name: str, *given: Any) -> Any:
        try:
            return getattr(self._file, name)(*given)
        except BaseException as error:
            self.raised = error
            raise

    def read(self, size: int) -> bytes:
        data: bytes = self._do("read", size)
        return data

    def write(self, data: bytes) -> int:
        taken: int = self._do("write", data)
        return taken

    def flush(self) -> None:
        self._do("flush")


def seal_stream(recipient: str, plain: Reader, sealed: Writer) -> None:
    """Write what ``plain`` holds to ``sealed`` as an age file that only the ``recipient``'s identity opens.

    Blocks, and takes the memory of a few chunks of 64 KiB.

    Raises:
        BadRecipient: see `lockleaf.crypto.identity.parse_recipient`.
        Whatever ``plain`` and ``sealed`` raise.
    """
    key = pyrage.x25519.Recipient.from_str(parse_recipient(recipient))
    reader, writer = _Watched(plain), _Watched(sealed)
    try:
        pyrage.encrypt_io(reader, writer, [key])
    except Exception:
        raise_cause(reader, writer)
        raise


def open_stream(identities: Sequence[str], sealed: Reader, plain: Writer) -> None:
    """Write what the age file ``sealed`` holds to ``plain``, opened by whichever of the ``identities`` it is sealed to.

    What was written before an error is not to be used: a file that was cut shows it only at its end.

    Raises:
        SealBroken: it was sealed to none of them, is damaged or cut, or is no age file.
        Malformed: an identity is invalid.
        Whatever ``sealed`` and ``plain`` raise.
    """
    try:
        keys = [pyrage.x25519.Identity.from_str(identity) for identity in identities]
    except pyrage.IdentityError:
        raise Malformed("not an age X25519 identity") from None
    reader, writer = _Watched(sealed), _Watched(plain)
    try:
        pyrage.decrypt_io(reader, writer, keys)
    except (pyrage.DecryptError, OSError):
        raise_cause(reader, writer)
        raise SealBroken("the age file does not open") from None


def raise_cause(*files: _Watched) -> None:
    """Raise what one of the files raised, if one did."""
    for file in files:
        if file.raised is not None:
            raise file.raised from None
