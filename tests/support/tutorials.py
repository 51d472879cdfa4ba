"""A tutorial that is followed: what its console blocks have typed, in a folder with two terminals."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from tests.support import warm_program

__all__ = ["follow"]

READY_SECONDS = 240
VARIABLE = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{8}T\d{6}Z\b|\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}\b|\b[0-9a-f]{8}\b"
)


def follow(page: Path, folder: Path, *, heard: Callable[[str, str], None], changed: Callable[[str], str]) -> int:
    """Type everything that a page's console blocks have typed, and compare each answer with what is shown.

    `lockleaf serve` has a terminal of its own, on a free port in place of 8000, in which `^C` is pressed. What a
    person's shell remembers (`export`, `.`) is said again before each command.

    Args:
        heard: is told each command and what it answered.
        changed: what is typed in place of a command of the page.

    Returns: how many commands there were.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    terminals, remembered, ran = Terminals(folder), "", 0
    try:
        for command, shown in _steps(page.read_text()):
            here = changed(command.replace("8000", str(port)))
            if here == "^C":
                terminals.interrupt()
                continue
            if here.startswith("lockleaf serve"):
                said = terminals.serve(here, f"http://127.0.0.1:{port}")
            else:
                said = terminals.type(f"export SERVER=http://127.0.0.1:{port}; {remembered}{here}")
            if here.startswith(("export ", ". ")):
                remembered += f"{here}; "
            heard(here, said)
            said = " ".join(re.sub("[─ ]+", " ", said).split())
            assert _like(shown.replace("8000", str(port))).search(said), f"{command}\nshown: {shown}\nsaid: {said}"
            ran += 1
    finally:
        terminals.interrupt()
    return ran


def _steps(text: str) -> Iterator[tuple[str, str]]:
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for step in re.split(r"^(?:\$ |(?=\^C$))", block, flags=re.MULTILINE)[1:]:
            command, _, shown = step.partition("\n")
            if "<<END" in command:
                document, _, shown = shown.partition("END\n")
                command += f"\n{document}END"
            yield command, shown


def _like(shown: str) -> re.Pattern[str]:
    """What is shown as an expression: … and ids stand for anything."""
    said = " ".join(VARIABLE.sub("…", shown).split())
    return re.compile(".*?".join(re.escape(part.strip()) for part in said.split("…")))


class Terminals:
    """A folder with a terminal in which the server runs, and one for everything else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        installed = Path(sys.executable).parent
        # Commands are started by their name, and find the program loaded; a server loads itself.
        self._warm = folder / ".commands"
        self._warm.mkdir()
        self._channel = warm_program.put_on_path(installed / "lockleaf", self._warm)
        self._server: subprocess.Popen[bytes] | None = None
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LOCKLEAF_", "DATABASE_URL"))},
            "PATH": f"{installed}:{os.environ['PATH']}",
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "LOCKLEAF_HOME": str(folder / "home"),
            "LOCKLEAF_PASSWORD": "plum anvil tide lantern",
            "LOCKLEAF_HASHING__MEMORY_KIB": "64",
            "LOCKLEAF_HASHING__ITERATIONS": "1",
            "COLUMNS": "200",
        }

    def type(self, command: str) -> str:
        """Type a command, and return everything that it says; its answer has to be 0."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env={**self._environment, "PATH": f"{self._warm}:{self._environment['PATH']}"},
            pass_fds=[self._channel],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=READY_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout

    def serve(self, command: str, url: str) -> str:
        """Start the server in its terminal, and return what it says until it answers."""
        log = self._folder / f"said-{time.monotonic_ns()}"
        with log.open("wb") as told:
            self._server = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self._folder, env=self._environment, stdout=told, stderr=told
            )
        deadline = time.monotonic() + READY_SECONDS
        while "Ctrl-C stops it." not in log.read_text():
            assert self._server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        assert httpx.get(f"{url}/health", timeout=60).status_code == 200
        return log.read_text()

    def interrupt(self) -> None:
        """Press Ctrl-C where the server runs, and wait until it has gone."""
        if self._server is not None:
            server, self._server = self._server, None
            if server.poll() is None:
                server.send_signal(signal.SIGINT)
            assert server.wait(60) == 0
