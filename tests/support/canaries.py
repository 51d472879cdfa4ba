"""Strings that must not be found where they do not belong, in every form in which they could be there."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_ZEROS = re.compile(rb"\0{16,}")
_FEWER_ZEROS = bytes(16)
"""No text has so many zeros in any spelling. Files of databases have, and searching them would be most of the work."""


def spellings(text: str) -> Iterator[bytes]:
    """The bytes by which ``text`` could be found: plain, UTF-16, hex, and base64 at each of its three alignments."""
    plain = text.encode()
    yield plain
    for form in (plain, text.encode("utf-16-le")):
        yield form
        yield form.hex().encode()
        yield form.hex().upper().encode()
        for shift in range(3):
            # What stands before and behind the text changes the first and the last characters, and them alone.
            encoded = base64.b64encode(bytes(shift) + form)
            inner = encoded[(0, 2, 3)[shift] : len(encoded) - (0, 4)[encoded.endswith(b"=")]]
            yield inner
            yield inner.translate(bytes.maketrans(b"+/", b"-_"))


class Canaries:
    """Looks for any spelling of any of several texts.

    Arguments:
        texts: by what they are, which is what a finding names.
    """

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self._names = {spelling: name for name, text in texts.items() for spelling in spellings(text)}

    def found_in(self, data: bytes) -> set[str]:
        """Which of the texts ``data`` holds, by name."""
        return {name for spelling, name in self._names.items() if spelling in data}

    def found_in_any(self, pieces: Iterable[bytes]) -> set[str]:
        """Which of the texts any of ``pieces`` holds, by name."""
        return set().union(*map(self.found_in, pieces))


def raw_bytes_below(folder: Path) -> bytes:
    """The names and the bytes of every file below ``folder``, alike ones once, and long runs of zeros shortened."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    contents = dict.fromkeys(_ZEROS.sub(_FEWER_ZEROS, path.read_bytes()) for path in files)
    return b"\n".join([*(str(path).encode() for path in files), *contents])
