"""Programs with SEAL compiled to WebAssembly, as browsers have it, run under Node.

`make test` installs node-seal where npm is; without Node or without that, the tests of these programs are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["NEEDS_NODE_SEAL", "run"]

FOLDER = Path(__file__).parents[1] / "browser"
NODE = shutil.which("node")

NEEDS_NODE_SEAL = [
    pytest.mark.skipif(NODE is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules" / "node-seal").is_dir(),
        reason="node-seal is not installed: npm ci in tests/browser",
    ),
]
"""Marks of a test, or of a module of them, that runs such a program."""


def run(program: str, *arguments: str, sent: str = "") -> list[str]:
    """Run a program of ``tests/browser`` to its end, and return the lines that it writes.

    Args:
        program: the name of its file.
        arguments: its arguments.
        sent: what it finds on standard input.
    """
    assert NODE is not None
    done = subprocess.run(
        [NODE, FOLDER / program, *arguments], input=sent, capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
