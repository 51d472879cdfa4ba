"""Text that comes from standard input, a file, or an argument; what is not UTF-8 is not thrown away."""

from __future__ import annotations

import array
import codecs
import fcntl
import os
import stat
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

from lockleaf.cli.errors import Complaint
from lockleaf.cli.interrupts import asking
from lockleaf.exit_codes import ExitCode

__all__ = [
    "STANDARD_INPUT",
    "GivenText",
    "decoded",
    "given_text",
    "has_input",
    "piped_text",
    "read_file",
    "text_encoding",
    "what_is_wrong",
]

STANDARD_INPUT = "-"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before those of UTF-16, whose little-endian one is the beginning of this.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class GivenText:
    """A text as it was given.

    Attributes:
        text: what it says; what could not be decoded is U+FFFD.
        data: its bytes.
        trouble: what could not be decoded, and where, as a sentence; None if everything could.
        fleeting: whether the bytes are nowhere else, as those from a pipe are.
    """

    text: str
    data: bytes
    trouble: str | None = None
    fleeting: bool = False


def given_text(argument: str | None, encoding: str | None = None) -> GivenText | None:
    """Return a text argument; ``-`` stands for standard input, read to its end and kept to the letter."""
    if argument is None:
        return None
    if argument == STANDARD_INPUT:
        return _read_input(encoding)
    # Bytes of an argument that are no text arrive as surrogates.
    return _given(os.fsencode(argument), encoding, "The text", fleeting=True) if _odd(argument) else GivenText(
        argument, argument.encode()
    )  # fmt: skip


def piped_text(encoding: str | None = None) -> GivenText | None:
    """Return what is piped into the command, or redirected from a file; None if nothing is.

    A terminal and /dev/null are nothing; a pipe with nothing in it gives an empty text.
    """
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return None
    piped = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISREG(mode)
    return _read_input(encoding) if piped else None


def has_input() -> bool:
    """Return whether something stands in standard input, without reading it or waiting for it."""
    try:
        mode = os.fstat(0).st_mode
        if stat.S_ISREG(mode):
            return os.fstat(0).st_size > os.lseek(0, 0, os.SEEK_CUR)
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            waiting = array.array("i", [0])
            fcntl.ioctl(0, termios.FIONREAD, waiting)
            return waiting[0] > 0
    except OSError:
        pass
    return False


def read_file(path: str, encoding: str | None = None) -> GivenText:
    """Return the text of a file; ``-`` stands for standard input.

    Raises:
        Complaint: it cannot be read, or is a file that is no text.
    """
    if path == STANDARD_INPUT:
        return _read_input(encoding)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise Complaint(f"{path} cannot be read: {error.strerror}.", ExitCode.INPUT, "UnreadableFile") from None
    given = _given(data, encoding, path, fleeting=False)
    if given.trouble is not None:
        raise Complaint(given.trouble, ExitCode.INPUT, "InvalidText")
    return given


def decoded(data: bytes, encoding: str | None = None) -> str:
    """Return the text of ``data``: UTF-8, or what a mark at its beginning says, unless ``encoding`` names another.

    Raises:
        UnicodeDecodeError: some of the bytes are not text in that encoding.
    """
    if encoding is None:
        encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    return data.decode(encoding)


def what_is_wrong(data: bytes, error: UnicodeDecodeError) -> str:
    """Return where in ``data`` the first bytes are that could not be decoded; nothing of the text is quoted."""
    start = error.start
    line = data.count(b"\n", 0, start) + 1
    place = start - (data.rfind(b"\n", 0, start) + 1) + 1
    found = " ".join(f"0x{byte:02X}" for byte in data[start : max(error.end, start + 1)][:4])
    return f"Byte {place} of line {line} ({found}) is not {error.encoding.upper()} text."


def text_encoding(name: str | None) -> str | None:
    """Return an encoding that was named, such as latin-1.

    Raises:
        Complaint: there is no such encoding.
    """
    if name is None:
        return None
    try:
        b"".decode(name)  # refuses those that are not for text
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise Complaint(
            f"No encoding is called {name}. Use a name such as latin-1, cp1252 or utf-16.", ExitCode.USAGE
        ) from None


def _read_input(encoding: str | None) -> GivenText:
    try:
        with asking():  # a person may be typing it: Ctrl-C ends that
            data = sys.stdin.buffer.read()
        fleeting = not stat.S_ISREG(os.fstat(0).st_mode)
    except (OSError, AttributeError, ValueError):  # closed, or a folder
        raise Complaint("Standard input cannot be read.", ExitCode.INPUT, "UnreadableFile") from None
    return _given(data, encoding, "Standard input", fleeting=fleeting)


def _given(data: bytes, encoding: str | None, name: str, *, fleeting: bool) -> GivenText:
    try:
        return GivenText(decoded(data, encoding), data, None, fleeting)
    except UnicodeDecodeError as error:
        trouble = f"{name} is not all text. {what_is_wrong(data, error)}"
        return GivenText(data.decode("utf-8", "replace"), data, trouble, fleeting)


def _odd(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
