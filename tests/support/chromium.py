"""The browser in which tests look at the local page: Debian's Chromium, installed where that may be done."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

__all__ = ["chromium"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_INSTALL = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"]
_SECONDS = 300


def _found() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@cache
def chromium() -> str:
    """Return the path of the browser; skip the test where there is none and none may be installed."""
    path = _found()
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # Several workers come here at once, and one of them installs it.
        with Path(tempfile.gettempdir(), "lockleaf-chromium.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            quiet = {"DEBIAN_FRONTEND": "noninteractive", "PATH": os.environ["PATH"]}
            for command in (["apt-get", "update", "--quiet"], _INSTALL) if _found() is None else ():
                try:
                    subprocess.run(command, env=quiet, capture_output=True, timeout=_SECONDS, check=False)
                except subprocess.TimeoutExpired:
                    break
        path = _found()
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium")
    return path
