"""Strings that must not be found where they do not belong, in every form in which they could be there."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path


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
        named = [(name, spelling) for name, text in texts.items() for spelling in set(spellings(text))]
        self._names = {spelling: name for name, spelling in named}
        self._pattern = re.compile(b"|".join(re.escape(spelling) for _, spelling in named))

    def found_in(self, data: bytes) -> set[str]:
        """Which of the texts ``data`` holds, by name."""
        return {self._names[match] for match in set(self._pattern.findall(data))}

    def found_in_any(self, pieces: Iterable[bytes]) -> set[str]:
        """Which of the texts any of ``pieces`` holds, by name."""
        return set().union(*map(self.found_in, pieces))

    def found_below(self, folder: Path) -> set[str]:
        """Which of the texts the files below ``folder`` hold, names of files included."""
        files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        names = "\n".join(map(str, files)).encode()
        return self.found_in(names) | self.found_in_any(path.read_bytes() for path in files)
