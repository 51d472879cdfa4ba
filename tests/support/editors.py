"""Editors that do something by themselves, and standard input as a shell would set it up, for commands in process."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["editor_that", "standard_input"]


def editor_that(folder: Path, does: str, name: str = "editor") -> str:
    """Make a program that gets the file as ``$1``, and return its path."""
    program = folder / name
    program.write_text(f"#!/bin/bash\n{does}\n")
    program.chmod(0o700)
    return str(program)


@contextlib.contextmanager
def standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes | None) -> Iterator[None]:
    """Let this process read ``data`` from a pipe; None: from /dev/null."""
    before = os.dup(0)
    if data is None:
        reading = os.open(os.devnull, os.O_RDONLY)
    else:
        reading, writing = os.pipe()
        os.write(writing, data)
        os.close(writing)
    os.dup2(reading, 0)
    os.close(reading)
    try:
        with os.fdopen(0, "r", closefd=False) as stream, monkeypatch.context() as patched:
            patched.setattr(sys, "stdin", stream)
            yield
    finally:
        os.dup2(before, 0)
        os.close(before)
