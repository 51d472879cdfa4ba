"""The processes of a running server, for tests that end some of them."""

from __future__ import annotations

import psutil

from tests.support.process import RunningServer

GONE_SECONDS = 30


def family(server: RunningServer) -> list[psutil.Process]:
    """The server's parent process and everything below it."""
    parent = psutil.Process(server.pid)
    return [parent, *parent.children(recursive=True)]


def postmaster(server: RunningServer) -> psutil.Process:
    """The main process of the server's own PostgreSQL."""
    found = [p for p in family(server) if _name(p) == "postgres" and _name(p.parent()) != "postgres"]
    assert len(found) == 1, found
    return found[0]


def workers(server: RunningServer) -> list[psutil.Process]:
    """The processes that serve requests."""
    found = _named(server, "lockleaf-web")
    assert found
    return found


def job_workers(server: RunningServer) -> list[psutil.Process]:
    """The process of background work, if it is there."""
    return _named(server, "lockleaf-jobs")


def is_whole(server: RunningServer, *, workers: int) -> bool:
    """Whether everything is there that a server of its own database with so many workers has."""
    wanted = {"lockleaf-jobs": 1, "lockleaf-web": workers}
    return all(len(_named(server, name)) == number for name, number in wanted.items())


def _named(server: RunningServer, name: str) -> list[psutil.Process]:
    return [process for process in family(server) if _name(process) == name]


def wait_until_gone(processes: list[psutil.Process]) -> None:
    """Wait until none of ``processes`` is there; a process whose parent has not asked after it yet counts as gone."""
    _, alive = psutil.wait_procs(processes, timeout=GONE_SECONDS)
    left = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not left, f"still there: {left}"


def _name(process: psutil.Process | None) -> str:
    try:
        return process.name() if process else ""
    except psutil.NoSuchProcess:
        return ""
