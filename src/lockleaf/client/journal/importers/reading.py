"""JSON objects out of a file, one at a time: JSON Lines, an array, or one object behind the other.

Whatever is wrong with one of them costs that one: it is named by its line, and reading goes on behind it. Nothing is
held in memory but one object of limited size.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

__all__ = ["CUT_OFF", "MAX_OBJECT_BYTES", "Piece", "Scanner", "TextSource", "pieces_of"]

MAX_OBJECT_BYTES = 32 * 1024 * 1024
"""A longer object is no entry: the text of one is at most 4,032 KiB, at most six times as long as JSON escapes."""

_CHUNK = 1024 * 1024
_PEEK = 64 * 1024
_GZIP = b"\x1f\x8b"
_TOKEN = re.compile(r'[{}"\\\n]')
_BETWEEN = re.compile(r"[\s,\[\]]*")
CUT_OFF = "the file ends within the list: it was cut off, and what should follow is missing"
_TOO_LONG = "longer than 32 MiB"
_DAMAGED = "the compressed file is damaged here, and nothing behind this can be read"


@dataclass(frozen=True, slots=True)
class Piece:
    """One JSON object: its ``text``, or the ``reason`` why there is none; ``line`` is where it begins."""

    line: int
    text: str = ""
    reason: str | None = None


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


def pieces_of(raw: BinaryIO) -> Iterator[Piece]:
    """Yield the objects of an open file, plain or gzip, in UTF-8 or UTF-16, with any line ends.

    Raises:
        OSError: the file cannot be read.
    """
    packed = raw.read(2) == _GZIP
    raw.seek(0)
    with cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw as file:
        yield from _pieces(TextSource(file))


class TextSource:
    """The bytes of a file as UTF-8 with line feeds, chunk by chunk; a compressed one that is damaged ends early."""

    def __init__(self, file: _Bytes) -> None:
        self._file = file
        self._decoder: codecs.IncrementalDecoder | None = None
        self._held = b""
        self.damaged = False
        self.start = self._read(_PEEK)
        mark = self.start[:4]
        if mark[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        elif len(mark) == 4 and (mark[:1] == b"\0") != (mark[1:2] == b"\0"):
            self._decoder = codecs.getincrementaldecoder("utf-16-be" if mark[:1] == b"\0" else "utf-16-le")("replace")
        self.start = self._converted(self.start.removeprefix(codecs.BOM_UTF8))

    def chunks(self) -> Iterator[bytes]:
        """Yield all that there is, with line feeds for line ends."""
        held, chunk = b"", self.start
        while chunk:
            chunk = held + chunk
            # A carriage return at the end may be half a line end.
            held, chunk = (b"\r", chunk[:-1]) if chunk.endswith(b"\r") else (b"", chunk)
            yield chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            chunk = self._next()
        yield b"\n" if held else b""

    def _next(self) -> bytes:
        while data := self._read(_CHUNK):
            if converted := self._converted(data):
                return converted
        return b""

    def _converted(self, data: bytes) -> bytes:
        return data if self._decoder is None else self._decoder.decode(data).encode("utf-8", "surrogatepass")

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.damaged = True
            return b""


def _pieces(source: TextSource) -> Iterator[Piece]:
    start = source.start.lstrip()
    first_line = re.split(rb"[\r\n]", start, maxsplit=1)[0].strip()
    # An array, or objects that go over several lines, have ends of their own; otherwise a line is an object.
    found = _objects(source) if start.startswith(b"[") or first_line == b"{" else _lines(source)
    line = 0
    for piece in found:
        line = piece.line
        yield piece
    if source.damaged:
        yield Piece(line + 1, reason=_DAMAGED)


def _lines(source: TextSource) -> Iterator[Piece]:
    number, rest, too_long = 1, b"", False

    def piece(line: bytes) -> Piece | None:
        if too_long or len(line) > MAX_OBJECT_BYTES:
            return Piece(number, reason=_TOO_LONG)
        if not line.strip():
            return None
        try:
            return Piece(number, line.decode())
        except UnicodeDecodeError:
            return Piece(number, reason="not UTF-8 text")

    for chunk in source.chunks():
        *whole, last = chunk.split(b"\n")
        for line in whole:
            if (found := piece(rest + line)) is not None:
                yield found
            number, rest, too_long = number + 1, b"", False
        rest += last
        if len(rest) > MAX_OBJECT_BYTES:
            rest, too_long = b"", True
    # Without its end the last line of a damaged file is half a line.
    if (rest or too_long) and not source.damaged and (found := piece(rest)) is not None:
        yield found


class Scanner:
    """Finds where objects begin and end, by their brackets and quotes.

    Args:
        array: they are those of an array that has begun: nothing behind its end counts.
    """

    def __init__(self, *, array: bool = False) -> None:
        self.line = 1
        self.ended = False
        """The array has come to its end."""
        self._array = array
        self._start = 0
        self._depth = 0
        self._quoted = False
        self._escaped = False
        self._lost = False
        """An object was broken off: nothing counts before the next line that begins with one."""
        self._parts: list[str] = []
        self._size = 0

    def take(self, text: str) -> Iterator[Piece]:
        """Yield the objects that end within the next ``text``."""
        at, kept, line_start = 0, 0, 0
        if self._escaped and text:
            at, self._escaped = 1, False
        while (found := _TOKEN.search(text, at)) is not None:
            sign, at = found.group(), found.end()
            if sign == "\n":
                self.line += 1
                line_start = at
                if self._quoted and self._depth:
                    # JSON has no line ends within a text: this one was never closed.
                    yield self._broken("a text in it has no end")
                    kept = at
                self._quoted = False
            elif sign == "\\":
                if self._quoted:
                    self._escaped = at >= len(text)
                    at += 1
            elif sign == '"':
                self._quoted = not self._quoted and not self._lost
            elif self._quoted:
                continue
            elif sign == "{":
                if self._depth == 0:
                    if self._ends(text[kept : found.start()]):
                        return
                    if self._lost and text[line_start : found.start()].strip(" \t[,"):
                        continue
                    if not self._lost and (stray := self._stray(text[kept : found.start()])) is not None:
                        yield stray
                    if self._lost:
                        self._taken()
                    self._lost, self._start, kept = False, self.line, found.start()
                self._depth += 1
            elif sign == "}" and self._depth:
                self._depth -= 1
                if self._depth == 0:
                    self._keep(text[kept:at])
                    kept = at
                    yield self._whole()
        if self._depth or not self._ends(text[kept:]):
            self._keep(text[kept:])

    def _ends(self, between: str) -> bool:
        """Tell whether the array ends in what stands between two objects."""
        self.ended = self.ended or (self._array and not self._lost and "]" in between)
        return self.ended

    def end(self) -> Iterator[Piece]:
        """Yield what is wrong at the end of the file."""
        if self._depth:
            yield self._broken("the file ends within it")
        elif not self._lost and (stray := self._stray("")) is not None:
            yield stray

    def _keep(self, part: str) -> None:
        self._size += len(part)
        if not self._lost and self._size <= MAX_OBJECT_BYTES:
            self._parts.append(part)

    def _taken(self) -> str:
        text, self._parts, self._size = "".join(self._parts), [], 0
        return text

    def _whole(self) -> Piece:
        too_long = self._size > MAX_OBJECT_BYTES
        text = self._taken()
        return Piece(self._start, reason=_TOO_LONG) if too_long else Piece(self._start, text)

    def _broken(self, reason: str) -> Piece:
        self._taken()
        self._depth, self._lost = 0, True
        return Piece(self._start, reason=f"not JSON: {reason}")

    def _stray(self, part: str) -> Piece | None:
        """What stands between objects and is more than what an array has there."""
        too_long = self._size > MAX_OBJECT_BYTES
        text = self._taken() + part
        if too_long or not _BETWEEN.fullmatch(text):
            return Piece(self.line, reason="not a JSON object")
        return None


def _objects(source: TextSource) -> Iterator[Piece]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    scanner, last = Scanner(), ""
    for chunk in source.chunks():
        text = decoder.decode(chunk)
        for piece in scanner.take(text):
            if piece.text and any("\udc80" <= sign <= "\udcff" for sign in piece.text):
                yield Piece(piece.line, reason="not UTF-8 text")
            else:
                yield piece
        last = text.rstrip()[-1:] or last
    if source.damaged:
        return
    ending = list(scanner.end())
    yield from ending
    if not ending and source.start.lstrip().startswith(b"[") and last != "]":
        # The last object may be whole, and those that should follow it are lost all the same.
        yield Piece(scanner.line, reason=CUT_OFF)
