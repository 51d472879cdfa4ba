"""Exit codes: what kind of thing went wrong, and what a script learns of it without reading what a command says."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["MEANINGS", "ExitCode", "epilog"]


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    CREDENTIALS = 3
    NOT_FOUND = 4
    CONFLICT = 5
    UNREACHABLE = 6
    INTEGRITY = 7
    LOCAL = 8
    INPUT = 9
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.UNEXPECTED: "an unexpected error",
    ExitCode.USAGE: "the command was not understood",
    ExitCode.CREDENTIALS: "not logged in, locked, or a wrong password or code",
    ExitCode.NOT_FOUND: "no such entry, conflict, device or profile",
    ExitCode.CONFLICT: "the server, or what is there already, refuses",
    ExitCode.UNREACHABLE: "the server cannot be reached, or cannot answer now",
    ExitCode.INTEGRITY: "the server contradicts what this device verified: nothing was taken over",
    ExitCode.LOCAL: "the journal on this device, its key or the disk",
    ExitCode.INPUT: "a file or text that cannot be read as what it should be",
    ExitCode.INTERRUPTED: "interrupted",
}


def epilog() -> str:
    """Return the exit codes as the last paragraph of ``lockleaf --help``."""
    return "Exit codes: " + "; ".join(f"{code.value} {meaning}" for code, meaning in MEANINGS.items()) + "."
