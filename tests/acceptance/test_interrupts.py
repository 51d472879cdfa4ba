"""Ctrl-C at any moment: every command ends, with 130 or having done its work, and says nothing that frightens."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lockleaf
from tests.support.command_line import CommandLine, fresh_email
from tests.support.process import RunningServer
from tests.support.started import Started

TIMES = 200 if os.environ.get("LOCKLEAF_TESTS_THOROUGHLY") else 3
PATIENCE = 60
# Each command has its patience: hundreds of them take longer than any other test may.
pytestmark = pytest.mark.timeout(240 + TIMES * PATIENCE)

LONGEST = 1.6
"""Seconds within which a command is interrupted: it is at work by then, and may have ended."""
EARLIEST = 0.1
PACKAGE = Path(lockleaf.__file__).parent
LOADED_FIRST = r"/(__init__|cli/__init__|cli/main)\.py"
ENDED = (0, 130, -signal.SIGINT)
"""How a command ends that works no more: a signal that comes while Python lets go of everything ends it at once."""


@pytest.fixture(scope="module")
def device(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    home = tmp_path_factory.mktemp("home")
    laptop = CommandLine(home, "laptop")
    laptop.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "laptop")
    file = home / "many.jsonl"
    file.write_text("".join(json.dumps({"date": "1661-02-03", "text": f"{n} words"}) + "\n" for n in range(500)))
    laptop.run("import", str(file))
    return laptop


@contextmanager
def interrupted(device: CommandLine, *arguments: str, after: float) -> Iterator[subprocess.Popen[bytes] | Started]:
    with device.start(*arguments, loads=True) as process:
        try:
            time.sleep(after)  # a random moment, not a time that anything is expected to take
            process.send_signal(signal.SIGINT)
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def is_told_by_python(process: subprocess.Popen[bytes] | Started, errors: bytes) -> bool:
    """Whether Python itself tells of the interrupt, which came before our entry point was called: of our modules at
    most that one was being loaded, and none of our functions had begun.
    """
    ours = [line for line in errors.decode().splitlines() if str(PACKAGE) in line]
    begun = [line for line in ours if not line.endswith(", in <module>") or not re.search(LOADED_FIRST, line)]
    return process.returncode in (1, -signal.SIGINT) and b"KeyboardInterrupt" in errors and not begun


@pytest.mark.parametrize("arguments", [("sync", "--watch"), ("sync",), ("list", "--all")], ids=" ".join)
def test_a_command_ends_at_whatever_moment_it_is_interrupted(device: CommandLine, arguments: tuple[str, ...]) -> None:
    moments = random.Random(" ".join(arguments))
    for _ in range(TIMES):
        after = moments.uniform(EARLIEST, LONGEST)
        with interrupted(device, *arguments, after=after) as process:
            _, errors = process.communicate(timeout=PATIENCE)
        if is_told_by_python(process, errors):
            continue
        assert process.returncode in ((130,) if "--watch" in arguments else ENDED), (after, errors)
        assert b"Traceback" not in errors, after
        assert b"Unexpected" not in errors, after


def test_attaching_ends_at_whatever_moment_it_is_interrupted(device: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "film.bin"
    file.write_bytes(os.urandom(3_000_000))
    entry = device.run("write", "with a film").out.strip()
    moments = random.Random("attach")
    for _ in range(TIMES):
        after = moments.uniform(EARLIEST, LONGEST)
        with interrupted(device, "attach", entry, str(file), after=after) as process:
            attached, errors = process.communicate(timeout=PATIENCE)
        if is_told_by_python(process, errors):
            continue
        assert process.returncode in ENDED, (after, errors)
        assert b"Traceback" not in errors, after
        if process.returncode == 0:
            device.run("media", "delete", attached.decode().split()[0], "--for-good", "--yes")
    assert device.run("sync", code=None).code in (0, 6)


def test_a_server_ends_at_whatever_moment_it_is_interrupted(tmp_path: Path) -> None:
    machine = CommandLine(tmp_path)
    moments = random.Random("serve")
    for number in range(max(2, TIMES // 4)):
        after = moments.uniform(EARLIEST, 6)
        with interrupted(
            machine, "serve", "--port", "0", "--data-dir", str(tmp_path / f"data{number % 2}"), after=after
        ) as process:
            _, errors = process.communicate(timeout=PATIENCE)
        if is_told_by_python(process, errors):
            continue
        assert process.returncode in ENDED, (after, errors)
        assert b"Traceback" not in errors, (after, errors)


_STUCK = """
import asyncio, threading
from lockleaf.cli.interrupts import run_to_end
async def work():
    print("works", flush=True)
    try:
        await asyncio.to_thread(threading.Event().wait)
    finally:
        print("cancelled", flush=True)
run_to_end(work())
"""


def test_a_second_interrupt_ends_at_once_what_still_waits() -> None:
    """A thread that waits for something cannot be cancelled."""
    with subprocess.Popen([sys.executable, "-c", _STUCK], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for said in ("works", "cancelled"):
                assert process.stdout.readline().strip() == said
                process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130
        finally:
            process.kill()


_CALLING = """
from lockleaf.server.main import forking
forking.call("tests.support.waiting:wait")
"""


def test_what_a_server_has_done_in_a_process_of_its_own_ends_with_it() -> None:
    with subprocess.Popen([sys.executable, "-c", _CALLING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "works"
        process.kill()
        # It ends when nobody is left who could write to it.
        assert process.communicate(timeout=PATIENCE) == ("", None)


def test_a_question_for_a_password_ends_with_the_first_interrupt(tmp_path: Path, server: RunningServer) -> None:
    device = CommandLine(tmp_path)
    leader, follower = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCKLEAF_")}
    process = subprocess.Popen(
        [str(device.program), "register", "--server", server.url, "--email", fresh_email()],
        env=environment | {"LOCKLEAF_HOME": str(tmp_path)},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    try:
        said = b""
        while b"Password" not in said:
            said += os.read(leader, 1000)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(leader)
