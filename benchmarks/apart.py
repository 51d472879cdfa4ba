"""A device of its own: each step of one in a process, as each command is, so that its time and memory are its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

__all__ = ["in_process"]

_PROGRAM = """
import asyncio, importlib, json, sys
module, name, *arguments = sys.argv[1:]
print(json.dumps(asyncio.run(getattr(importlib.import_module(module), name)(*arguments))))
"""


def in_process(module: str, name: str, *arguments: object) -> Any:
    """Return what an asynchronous function of a module returns in a process of its own.

    Args:
        arguments: it gets them as text.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, module, name, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])
