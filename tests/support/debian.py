"""Programs of Debian's that a test runs beside the server, installed where that may be done."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

import pytest

__all__ = ["debian_program"]

PATIENCE_SECONDS = 240


def debian_program(name: str, package: str) -> str:
    """The path of a program, installed if it is not there and this is root on a Debian; otherwise the test is skipped.

    Args:
        package: that has it.
    """
    found = _found(name) or (_installed(package) and _found(name))
    if not found:
        pytest.skip(f"{name} is not here and cannot be installed (Debian's package {package} has it)")
    return found


def _found(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


@functools.cache
def _installed(package: str) -> bool:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    # Services of the package are not started: these tests run programs of their own, on free ports.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    lock = ["-o", "DPkg::Lock::Timeout=120"]
    install = ["apt-get", *lock, "install", "-y", "-q", "--no-install-recommends", package]
    for command in (install, ["apt-get", *lock, "update", "-q"], install):
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return False
        if command is install and done.returncode == 0:
            return True
    return False
