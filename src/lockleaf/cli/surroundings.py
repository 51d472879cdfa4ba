"""What a command finds of streams, locale and terminal size when it starts, put in order once."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from typing import IO

__all__ = ["discard_output", "put_in_order"]

NARROWEST, WIDEST = 20, 1000
_PLAIN = {"\u2013": "-", "\u2014": "-", "\u2026": "...", "\u2192": "->", "\u00b7": "*", "\u2022": "*"}


def put_in_order() -> None:
    """Make sure that what a command prints can be written, wherever it was started.

    A closed stream becomes the null device: what is opened next would otherwise take its number. Characters that the
    encoding of a stream lacks are written as escapes. A size of the terminal that is no size does not count.
    """
    _read_bytes_as_utf8()
    _open_closed_streams()
    codecs.register_error("lockleaf.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # a test's own stream
            stream.reconfigure(errors="lockleaf.plain")  # type: ignore[union-attr]
    for name in ("COLUMNS", "LINES"):
        given = os.environ.get(name)
        if given is None:
            continue
        if not (given.isascii() and given.isdigit() and 0 < len(given) < 6 and 0 < int(given) <= WIDEST):
            del os.environ[name]
        elif name == "COLUMNS" and int(given) < NARROWEST:
            os.environ[name] = str(NARROWEST)


def discard_output(stream: IO[str] | None) -> None:
    """Lead a stream nowhere from now on: Python would complain of it once more when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]
        os.close(nowhere)


def _read_bytes_as_utf8() -> None:
    """Start again in Python's UTF-8 mode where arguments and names of files were read as ASCII.

    Python does so of itself in the locale C unless a variable forbids it; tags and search words would not be found.
    """
    if sys.flags.utf8_mode == 0 and codecs.lookup(sys.getfilesystemencoding()).name == "ascii":
        with contextlib.suppress(OSError):
            os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606


def _open_closed_streams() -> None:
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        mode = os.O_RDONLY if number == 0 else os.O_WRONLY
        opened = os.open(os.devnull, mode)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
        os.set_inheritable(number, True)
        setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write what an encoding lacks: signs of our own in ASCII, anything else as an escape that names it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    written = []
    for character in error.object[error.start : error.end]:
        if "\u2580" <= character <= "\u259f":
            written.append("#")
        elif "\u2500" <= character <= "\u257f":
            written.append("-")
        else:
            written.append(_PLAIN.get(character) or character.encode("ascii", "backslashreplace").decode())
    return "".join(written), error.end
