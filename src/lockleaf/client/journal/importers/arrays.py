"""The objects of an array within a JSON object, one at a time: ``{"metadata": ..., "entries": [{...}, {...}]}``.

Of a file that is damaged everything comes that stands before the damage, and what can be made out behind it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from lockleaf.client.journal.importers.reading import CUT_OFF, Piece, Scanner, TextSource

__all__ = ["read_array"]

_FARTHEST = 16 * 1024 * 1024
"""So much may stand before the array: the tags of a journal with their counts, for instance."""
_OVERLAP = 4096
"""Signs of a chunk that are looked at again with the next one: the name of an array may stand across both."""


def read_array(file: BinaryIO, name: str | None, *, farthest: int | None = _FARTHEST) -> Iterator[Piece]:
    """Yield the objects of the array that is called ``name``, or of one that is the whole file (None).

    The ``line`` of a piece is its number among the objects, from 1.

    Args:
        farthest: how many signs may stand before it; None: the rest of the file.
    """
    source = TextSource(file)
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    begin = re.compile(r"\s*\[" if name is None else rf'"{re.escape(name)}"\s*:\s*\[')
    scanner, number, before, passed = Scanner(array=True), 0, "", 0
    found = False
    for chunk in source.chunks():
        text = decoder.decode(chunk)
        if not found:
            before += text
            match = begin.match(before) if name is None else begin.search(before)
            if match is None:
                passed += len(text)
                if farthest is not None and passed > farthest:
                    break
                if name is not None:
                    before = before[-_OVERLAP:]
                continue
            found, text = True, before[match.end() :]
        for piece in scanner.take(text):
            number += 1
            broken = any("\udc80" <= sign <= "\udcff" for sign in piece.text) if not piece.text.isascii() else False
            yield Piece(number, reason="not UTF-8 text") if broken else Piece(number, piece.text, piece.reason)
        if scanner.ended:
            return
    if not found:
        yield Piece(1, reason="the list of entries is missing: the file is damaged, or of another kind")
        return
    ending = list(scanner.end())
    for piece in ending:
        number += 1
        yield Piece(number, reason=piece.reason)
    if not ending:
        yield Piece(number + 1, reason=CUT_OFF)
