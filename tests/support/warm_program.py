"""The command line and servers as processes that find it loaded: each is forked from one that has loaded both.

A command loads for longer than most of them work, and a suite runs hundreds. What is forked is a process like any
other, with the environment, the folder and the three ends that it is given.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import gc
import importlib
import io
import json
import os
import pkgutil
import random
import selectors
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from tests.support.cheap_keys import stretch_cheaply
from tests.support.event_loops import look_once_for_sniffio
from tests.support.started import Started

__all__ = ["LOADED_WITH", "fits", "put_on_path", "run", "start", "start_at_terminal", "start_command"]

LOADED_WITH: Mapping[str, str] = {
    # A desktop's keychain is no business of a test.
    "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    "COLUMNS": "120",
}
"""What is looked up while a library loads, so that every command has the same."""

TAKEN = ("LOCKLEAF_", "XDG_")
"""How variables begin that are looked up while a command works; others are while Python or a library loads."""

TAKEN_WHOLE = frozenset({"DATABASE_URL", "EDITOR", "HOME", "SECRET_KEY", "TMPDIR", "TZ", "VISUAL"})

SERVER = ("supervisor", "web_worker", "job_worker", "preparation")
"""What a server, and the command line that looks after one, loads from `lockleaf.server.main`."""

_COMMAND = "import sys; from lockleaf.cli.main import main; sys.exit(main())"

_BECOME = "import os, sys; os.execv(sys.argv[0], sys.argv)"

LONGEST_INPUT = 60_000
"""What a pipe holds without a reader, in bytes."""

_code: list[int] = []
"""The code that a command ends with, once it is known."""


def fits(environment: Mapping[str, str], stdin: bytes) -> bool:
    """Whether a command with these variables of its own would not notice the difference."""
    loaded_with = {**os.environ, **LOADED_WITH}
    own = {name for name, value in environment.items() if loaded_with.get(name) != value}
    taken = all(name.startswith(TAKEN) or name in TAKEN_WHOLE for name in own)
    return taken and len(stdin) <= LONGEST_INPUT


def start(
    program: str, arguments: Sequence[str], environment: Mapping[str, str], *, stderr: IO[str], alone: bool
) -> Started:
    """Start what ``python -c`` would be given, without input; what it writes is read from its ``stdout``.

    Arguments:
        stderr: the file that its errors go to.
        alone: it begins a session.
    """
    reading, writing = os.pipe()
    with Path(os.devnull).open("rb") as nothing:
        ends = (nothing.fileno(), writing, stderr.fileno())
        way_back = _ask(program, ["-c", *arguments], environment, None, ends, alone=alone)
    os.close(writing)
    return Started(way_back, arguments, stdout=os.fdopen(reading, encoding="utf-8"))


def start_command(
    program: Path, arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None
) -> Started:
    """Start a command with pipes at its three ends."""
    words = [str(program), *arguments]
    (given, stdin), (stdout, out), (stderr, err) = os.pipe(), os.pipe(), os.pipe()
    way_back = _ask(_COMMAND, words, environment, folder, (given, out, err))
    for theirs in (given, out, err):
        os.close(theirs)
    return Started(
        way_back, words, stdin=os.fdopen(stdin, "wb"), stdout=os.fdopen(stdout, "rb"), stderr=os.fdopen(stderr, "rb")
    )


def start_at_terminal(
    program: Path, arguments: Sequence[str], environment: Mapping[str, str], inside: int, *, loads: bool
) -> Started:
    """Start a command whose three ends, and whose controlling terminal, are the terminal behind a descriptor.

    Arguments:
        loads: it is another program than the command line.
    """
    words = [str(program), *arguments]
    text = _BECOME if loads else _COMMAND
    return Started(_ask(text, words, environment, None, (inside, inside, inside), alone=True, terminal=True), words)


def run(
    program: Path, arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None, stdin: bytes
) -> tuple[int, bytes, bytes]:
    """Run a command to its end; return its exit code (negative: the signal that ended it) and what it wrote."""
    words = [str(program), *arguments]
    reading, writing = os.pipe()
    os.write(writing, stdin)
    os.close(writing)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        way_back = _ask(_COMMAND, words, environment, folder, (reading, out.fileno(), err.fileno()))
        os.close(reading)
        code = Started(way_back, words).wait()
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()


def _ask(
    program: str,
    argv: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None,
    ends: tuple[int, int, int],
    *,
    alone: bool = False,
    terminal: bool = False,
) -> socket.socket:
    """Have a process started; return where its id is told, and how it ended."""
    asked = {
        "program": program,
        "argv": [os.fspath(word) for word in argv],
        "environment": dict(environment),
        "folder": str(folder or Path.cwd()),
        "alone": alone,
        "terminal": terminal,
    }
    way_back, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        socket.send_fds(_warm(), [json.dumps(asked).encode()], [*ends, its.fileno()])
    return way_back


_AT_A_PROMPT = """#!{python} -IS
import json, os, socket, sys

asked = {{"argv": [{program!r}, *sys.argv[1:]], "environment": dict(os.environ), "folder": os.getcwd()}}
asked |= {{"program": {command!r}, "alone": False, "terminal": False}}
ended, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
socket.send_fds(socket.socket(fileno={channel}), [json.dumps(asked).encode()], [0, 1, 2, told.fileno()])
told.close()
ended.recv(16)
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
    text = _AT_A_PROMPT.format(python=sys.executable, program=str(program), command=_COMMAND, channel=channel)
    there.write_text(text)
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


def _serve(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork a process for every message, and tell its id and how it ended, until the other end is closed.

    Returns: in that process, what is asked of it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: dict[int, tuple[int, int]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in running:
                    selector.unregister(key.fd)
                    command, told = running.pop(key.fd)
                    with contextlib.suppress(OSError):  # who asked may have gone
                        os.write(told, str(os.waitpid(command, 0)[1]).encode())
                    os.close(told)
                    os.close(key.fd)
                    continue
                message, descriptors, _, _ = socket.recv_fds(channel, 1 << 20, 4)
                if not message:
                    return None
                if (command := os.fork()) == 0:
                    return json.loads(message), descriptors
                with contextlib.suppress(OSError):
                    os.write(descriptors[3], str(command).encode())
                for descriptor in descriptors[:3]:
                    os.close(descriptor)
                ended = os.pidfd_open(command)
                running[ended] = command, descriptors[3]
                selector.register(ended, selectors.EVENT_READ)


def _run(asked: dict[str, Any], descriptors: list[int]) -> None:
    """Be that process."""
    if asked["alone"]:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    os.closerange(3, 1024)
    if asked["terminal"]:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    _open_streams()
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    random.seed()
    os.chdir(asked["folder"])
    sys.argv = asked["argv"]
    try:
        # What it starts in its turn shall not look for this module.
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(asked["program"], main.__dict__)
        _code.append(0)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            _code.append(ended.code or 0)
        raise


def _end() -> None:
    """End at once, last of all that is done at the end.

    Python would take apart everything that is loaded, for longer than most commands work.
    """
    if _code:
        # What cannot be written is said by Python itself.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(_code[0])


def _open_streams() -> None:
    """Write to pipes and terminals as what they are: Python's streams were made for what had these numbers before.

    They would seek in a pipe, and keep lines from a terminal.
    """
    for name, number in (("stdout", 1), ("stderr", 2)):
        terminal = os.isatty(number)
        if terminal or stat.S_ISFIFO(os.fstat(number).st_mode):
            before = getattr(sys, name)
            written = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
            lines = terminal or name == "stderr"
            stream = io.TextIOWrapper(written, before.encoding, before.errors, line_buffering=lines)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def _load() -> None:
    """Load every module of the command line and of the SDK, and what a server loads."""
    # What a new password costs, before anybody keeps what it costs otherwise.
    kdf: Any = importlib.import_module("lockleaf.crypto.kdf")
    kdf.DEFAULT = importlib.import_module("tests.support.derivations").LEAST
    stretch_cheaply()
    for name in SERVER:
        importlib.import_module(f"lockleaf.server.main.{name}")
    # Kept from the first use on: so it is the same for all. A server runs the rest of `loaded` itself.
    importlib.import_module("lockleaf.server.main.routes").work_out_routes()
    for name in ("lockleaf.cli", "lockleaf.client", "lockleaf.server.main.maintenance"):
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            # There a function has the name of its module, whichever was asked for last.
            if not module.name.startswith("lockleaf.cli.demonstration"):
                importlib.import_module(module.name)
    # Loaded or built when the first request is sent, or the first body is read.
    look_once_for_sniffio()
    importlib.import_module("anyio._backends._asyncio")
    _build(importlib.import_module("lockleaf.wire.base").Body)
    # What is loaded is neither looked through in each process nor copied for it.
    gc.collect()
    gc.freeze()


def _build(model: Any) -> None:
    """Let pydantic build what reads and writes a model of the wire and those that stand on it."""
    model.model_rebuild()
    for more in model.__subclasses__():
        _build(more)


if __name__ == "__main__":
    atexit.register(_end)  # before anybody else
    _load()
    with socket.socket(fileno=int(sys.argv[1])) as commands:
        command = _serve(commands)
    if command is not None:
        _run(*command)
