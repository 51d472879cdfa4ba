"""Strings that must not be found where they do not belong, in every form in which they could be there."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

_ZEROS = re.compile(rb"\0{16,}")
_FEWER_ZEROS = bytes(16)
"""No text has so many zeros in any spelling. Files of databases have, and searching them would be most of the work."""


def spellings(text: str) -> Iterator[bytes]:
    """The bytes by which ``text`` could be found: plain, UTF-16, hex, and base64 at each of its three alignments."""
    for form in (text.encode(), text.encode("utf-16-le")):
        yield from _encodings(form)


def number_spellings(value: float) -> Iterator[bytes]:
    """The bytes by which a number could be found: in digits, and as machines and MessagePack write it.

    As it is in every encoding, and raw as it is scaled and rounded before it is encrypted. Forms of four bytes are left
    out: any four are somewhere in a database by chance.
    """
    yield from spellings(repr(value))
    yield f"{value:.4f}".encode()
    for form in ("<d", ">d"):
        yield from _encodings(struct.pack(form, value))
    for scale in (2.0**-6, 2.0**24, 2.0**30, 2.0**40):
        scaled = value * scale
        yield repr(scaled).encode()
        yield from (struct.pack(form, scaled) for form in ("<d", ">d"))
        if 2.0**32 < abs(scaled) < 2.0**63:
            yield str(round(scaled)).encode()
            yield from (struct.pack(form, round(scaled)) for form in ("<q", ">q"))


def _encodings(form: bytes) -> Iterator[bytes]:
    yield form
    yield form.hex().encode()
    yield form.hex().upper().encode()
    for shift in range(3):
        # What stands before and behind it changes the first and the last characters, and them alone.
        encoded = base64.b64encode(bytes(shift) + form)
        inner = encoded[(0, 2, 3)[shift] : len(encoded) - (0, 4)[encoded.endswith(b"=")]]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


class Canaries:
    """Looks for any spelling of any of several texts and numbers.

    Arguments:
        texts: by what they are, which is what a finding names.
        numbers: likewise.
    """

    def __init__(self, texts: dict[str, str], numbers: dict[str, float] | None = None) -> None:
        self.texts = texts
        self._names = {spelling: name for name, text in texts.items() for spelling in spellings(text)}
        self._names |= {
            spelling: name for name, value in (numbers or {}).items() for spelling in number_spellings(value)
        }

    def found_in(self, data: bytes) -> set[str]:
        """Which of the texts ``data`` holds, by name."""
        return {name for spelling, name in self._names.items() if spelling in data}

    def found_in_any(self, pieces: Iterable[bytes]) -> set[str]:
        """Which of the texts any of ``pieces`` holds, by name."""
        return self.found_in(b"\n".join(pieces))


def raw_bytes_below(folder: Path) -> bytes:
    """The names and the bytes of every file below ``folder``, alike ones once, and long runs of zeros shortened."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    contents = dict.fromkeys(_ZEROS.sub(_FEWER_ZEROS, path.read_bytes()) for path in files)
    return b"\n".join([*(str(path).encode() for path in files), *contents])
