"""Text that comes from standard input, a file, or an argument."""

from __future__ import annotations

import sys
from pathlib import Path

from lockleaf.cli.errors import Complaint
from lockleaf.cli.exit_codes import ExitCode

__all__ = ["STANDARD_INPUT", "given_text", "read_file"]

STANDARD_INPUT = "-"


def given_text(argument: str | None) -> str | None:
    """Return a text argument; ``-`` stands for standard input, read to its end and kept to the letter.

    Raises:
        Complaint: standard input is no UTF-8 text.
    """
    if argument != STANDARD_INPUT:
        return argument
    return _decoded(sys.stdin.buffer.read(), "Standard input")


def read_file(path: str) -> str:
    """Return the text of a file; ``-`` stands for standard input.

    Raises:
        Complaint: it cannot be read, or is no UTF-8 text.
    """
    if path == STANDARD_INPUT:
        return _decoded(sys.stdin.buffer.read(), "Standard input")
    try:
        return _decoded(Path(path).read_bytes(), path)
    except OSError as error:
        raise Complaint(f"{path} cannot be read: {error.strerror}.", ExitCode.INPUT, "UnreadableFile") from None


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Complaint(f"{name} is no UTF-8 text.", ExitCode.INPUT, "InvalidText") from None
