"""The command line as processes that find it loaded: each is forked from one that has loaded it.

A command loads for longer than most of them work, and a suite runs hundreds. What is forked is a process like any
other, with the environment, the folder and the three ends that it is given.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import random
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["LOADED_WITH", "fits", "put_on_path", "run"]

LOADED_WITH: Mapping[str, str] = {
    # A desktop's keychain is no business of a test.
    "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    "COLUMNS": "120",
}
"""What is looked up while a library loads, so that every command has the same."""

TAKEN = ("LOCKLEAF_", "XDG_")
"""How variables begin that are looked up while a command works; others are while Python or a library loads."""

TAKEN_WHOLE = frozenset({"DATABASE_URL", "EDITOR", "HOME", "TMPDIR", "TZ", "VISUAL"})

LONGEST_INPUT = 60_000
"""What a pipe holds without a reader, in bytes."""


def fits(environment: Mapping[str, str], stdin: bytes) -> bool:
    """Whether a command with these variables of its own would not notice the difference."""
    loaded_with = {**os.environ, **LOADED_WITH}
    own = {name for name, value in environment.items() if loaded_with.get(name) != value}
    taken = all(name.startswith(TAKEN) or name in TAKEN_WHOLE for name in own)
    return taken and len(stdin) <= LONGEST_INPUT


def run(
    program: Path, arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None, stdin: bytes
) -> tuple[int, bytes, bytes]:
    """Run a command to its end; return its exit code (negative: the signal that ended it) and what it wrote."""
    words = [str(program), *arguments]
    described = json.dumps({"argv": words, "environment": dict(environment), "folder": str(folder or Path.cwd())})
    reading, writing = os.pipe()
    os.write(writing, stdin)
    os.close(writing)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        ended, told = socket.socketpair()
        with ended:
            with told:
                socket.send_fds(_warm(), [described.encode()], [reading, out.fileno(), err.fileno(), told.fileno()])
            os.close(reading)
            status = ended.recv(16)
        out.seek(0)
        err.seek(0)
        return os.waitstatus_to_exitcode(int(status)), out.read(), err.read()


_AT_A_PROMPT = """#!{python} -IS
import json, os, socket, sys

asked = {{"argv": [{program!r}, *sys.argv[1:]], "environment": dict(os.environ), "folder": os.getcwd()}}
ended, told = socket.socketpair()
socket.send_fds(socket.socket(fileno={channel}), [json.dumps(asked).encode()], [0, 1, 2, told.fileno()])
told.close()
code = os.waitstatus_to_exitcode(int(ended.recv(16)))
sys.exit(code if code >= 0 else 128 - code)
"""


def put_on_path(program: Path, folder: Path) -> int:
    """Put a command of the program's name into a folder, which has its work done by a process that finds it loaded.

    For a shell, which shall start it by its name, with the ends and the environment that it chooses.

    Returns: the descriptor that the shell has to inherit.
    """
    channel = _warm().fileno()
    there = folder / program.name
    there.write_text(_AT_A_PROMPT.format(python=sys.executable, program=str(program), channel=channel))
    there.chmod(0o755)
    return channel


@functools.cache
def _warm() -> socket.socket:
    """Start the process that the others are forked from, and return the way to it; it ends with this one."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LOCKLEAF_")}
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(its.fileno())],
            env=clean | LOADED_WITH,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[its.fileno()],
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(channel: socket.socket) -> None:
    """Fork a command for every message, until the other end is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, 1 << 20, 4)
        if not message:
            return
        if os.fork() == 0:
            _mind(json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _mind(asked: dict[str, object], descriptors: list[int]) -> None:
    """Fork the command and tell how it ended; return in the command's process alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os.write(descriptors[3], str(status).encode())
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    _open_pipes()
    for descriptor in descriptors:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(asked["environment"])  # type: ignore[call-overload]
    time.tzset()
    random.seed()
    os.chdir(str(asked["folder"]))
    sys.argv = list(asked["argv"])  # type: ignore[call-overload]
    sys.exit(importlib.import_module("lockleaf.cli.main").main())


def _open_pipes() -> None:
    """Write to pipes as what they are: Python's streams were made for what had these numbers before, and would seek."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        if stat.S_ISFIFO(os.fstat(number).st_mode):
            before = getattr(sys, name)
            written = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
            stream = io.TextIOWrapper(written, before.encoding, before.errors, line_buffering=name == "stderr")
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def _load() -> None:
    """Load every module of the command line and of the SDK."""
    for name in ("lockleaf.cli", "lockleaf.client"):
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            importlib.import_module(module.name)
    # What is loaded is neither looked through in each process nor copied for it.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))
