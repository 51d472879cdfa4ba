"""What is measured: the server on a PostgreSQL that waits for the disk, and an empty application beside it."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from lockleaf.server.platform.limits.rates import POLICIES

__all__ = [
    "BenchmarkServer",
    "empty_application",
    "lockleaf_server",
    "memory_mib",
    "peak_memory_mib",
    "peak_of_workers_mib",
]


@dataclass
class BenchmarkServer:
    """A running server, and the process whose children do its work."""

    url: str
    port: int
    pid: int
    data_dir: Path | None = None


_SERVE = """
import sys
from lockleaf.server.main.supervisor import serve
from lockleaf.server.platform.settings import Settings
serve(Settings(), host="127.0.0.1", port=0, workers=int(sys.argv[1]), announce=lambda r: print(r.port, flush=True))
"""

_EMPTY = """
import socket, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def empty(request): return Response(b"null", media_type="application/json")
app = Starlette(routes=[Route("/empty", empty)])
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen(2048)
print(listening.getsockname()[1], flush=True)
config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)
uvicorn.Server(config).run(sockets=[listening])
"""


@contextlib.contextmanager
def _process(program: str, arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[tuple[int, int]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOCKLEAF_", "DATABASE_URL"))}
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            env={**clean, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"it did not start:\n{log.read_text()[-3000:]}")
        yield process.pid, int(line)
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


UNREACHED = {f"LOCKLEAF_RATES__{name.upper()}": "900000000/minute" for name in POLICIES}
"""Each request is counted, as an operator's are, and none is refused: they all come from one address."""


def _extra() -> dict[str, str]:
    """Settings for trying things: BENCHMARK_X becomes X in the server's environment."""
    return {name[10:]: value for name, value in os.environ.items() if name.startswith("BENCHMARK_")}


@contextlib.contextmanager
def lockleaf_server(
    *, workers: int, database_url: str | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[BenchmarkServer]:
    """Run `lockleaf serve` as an operator would, on its embedded database unless another is named."""
    with tempfile.TemporaryDirectory(prefix="lockleaf-benchmark-") as folder:
        environment = {
            "LOCKLEAF_DATA_DIR": folder,
            "LOCKLEAF_LOG__LEVEL": "WARNING",
            **UNREACHED,
            **(settings or {}),
            **_extra(),
        }
        if database_url is not None:
            environment |= {
                "DATABASE_URL": database_url,
                "LOCKLEAF_SECRETS__ROOTS": secrets.token_urlsafe(48),
                "LOCKLEAF_SECRETS__PRELOGIN": secrets.token_urlsafe(48),
            }
        log = Path(folder) / "server.log"
        with _process(_SERVE, [str(workers)], environment, log) as (pid, port):
            yield BenchmarkServer(f"http://127.0.0.1:{port}", port, pid, Path(folder))


@contextlib.contextmanager
def empty_application() -> Iterator[BenchmarkServer]:
    """Run a Starlette application whose one route does nothing, in one process."""
    with (
        tempfile.TemporaryDirectory(prefix="lockleaf-benchmark-") as folder,
        _process(_EMPTY, [], {}, Path(folder) / "log") as (pid, port),
    ):
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
        yield BenchmarkServer(f"http://127.0.0.1:{port}", port, pid)


def memory_mib(server: BenchmarkServer) -> list[float]:
    """Return the resident memory of each web worker, in MiB, largest first."""
    sizes = []
    for process in _workers(server):
        with contextlib.suppress(psutil.Error):
            sizes.append(process.memory_info().rss / 2**20)
    return sorted(sizes, reverse=True)


def peak_of_workers_mib(server: BenchmarkServer) -> float:
    """Return the most resident memory that any one web worker has had, in MiB."""
    return max(peak_memory_mib(process.pid) for process in _workers(server))


def peak_memory_mib(pid: int | None = None) -> float:
    """Return the most resident memory that a process, this one if absent, has had, in MiB.

    What ``getrusage`` tells counts the memory of the process that started this one as well.
    """
    status = Path(f"/proc/{pid or 'self'}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _workers(server: BenchmarkServer) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(server.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.name() == "lockleaf-web":
                found.append(process)
    return found
