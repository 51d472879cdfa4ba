"""Real server processes for tests and benchmarks, on free ports of the loopback, stopped by the id they began with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.support import warm_program
from tests.support.started import Started

READY_SECONDS = 240
STOP_SECONDS = 30

_PROGRAM = """
import json, sys
from lockleaf.server.main.supervisor import serve
from lockleaf.server.platform.settings import Settings
workers, port, host = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
serve(Settings(), host=host, port=port, workers=workers,
      announce=lambda running: print(json.dumps({"url": running.url, "port": running.port}), flush=True))
"""


@dataclass
class RunningServer:
    """A server that runs, and where."""

    process: subprocess.Popen[str] | Started
    url: str
    port: int
    log: Path
    data_dir: Path

    @property
    def pid(self) -> int:
        """The parent process's id."""
        return self.process.pid

    def kill(self) -> None:
        """End the parent at once, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """Ask the server to stop, wait, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


def start_server(
    environment: Mapping[str, str],
    *,
    log: Path,
    workers: int = 1,
    port: int = 0,
    host: str = "127.0.0.1",
    program: str = _PROGRAM,
) -> RunningServer:
    """Start a server process and wait until its workers answer.

    Arguments:
        environment: added to a clean copy of ours; names the data folder and, if any, the database.
        log: file to which its standard error is appended.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOCKLEAF_", "DATABASE_URL"))}
    # Its clients are one address that asks more often than anybody does.
    variables = {**clean, **warm_program.LOADED_WITH, "LOCKLEAF_RATES__ENABLED": "false", **environment}
    arguments = [str(workers), str(port), host]
    with log.open("a") as stderr:
        process: subprocess.Popen[str] | Started
        # The workers of one server add up their metrics in a folder that libraries look up while they load.
        if program == _PROGRAM and workers == 1 and warm_program.fits(variables, b""):
            process = warm_program.start(program, arguments, variables, stderr=stderr, alone=True)
        else:
            process = subprocess.Popen(
                [sys.executable, "-c", program, *arguments],
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
    assert process.stdout is not None
    line = _first_line(process.stdout)
    if not line:
        process.kill()
        process.wait()
        process.stdout.close()
        raise RuntimeError(f"the server did not start:\n{log.read_text()[-4000:]}")
    told = json.loads(line)
    return RunningServer(process, told["url"], told["port"], log, Path(environment["LOCKLEAF_DATA_DIR"]))


def _first_line(stdout: IO[str]) -> str:
    import selectors

    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        return stdout.readline() if selector.select(READY_SECONDS) else ""


@contextlib.contextmanager
def running_server(
    environment: Mapping[str, str], *, log: Path, workers: int = 1, port: int = 0, host: str = "127.0.0.1"
) -> Iterator[RunningServer]:
    """A server for the length of a ``with``."""
    server = start_server(environment, log=log, workers=workers, port=port, host=host)
    try:
        yield server
    finally:
        server.stop()
        assert server.process.stdout is not None
        server.process.stdout.close()
