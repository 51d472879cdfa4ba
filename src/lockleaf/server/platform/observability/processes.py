"""What the processes of this server are called, and how much memory they take, as Linux tells it."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
from collections import defaultdict
from pathlib import Path

__all__ = ["name_process", "resident_bytes", "return_memory"]

_PROC = Path("/proc")
_MALLOPT = {"M_TRIM_THRESHOLD": (-1, 4 * 2**20), "M_MMAP_THRESHOLD": (-3, 4 * 2**20), "M_ARENA_MAX": (-8, 2)}
_NAMES = {"lockleaf-web": "web_worker", "lockleaf-jobs": "job_worker"}


def name_process(name: str) -> None:
    """Let `ps` and `top` call this process ``lockleaf-`` and ``name``; where the system has no such thing, nothing."""
    with contextlib.suppress(OSError):
        (_PROC / "self/comm").write_text(f"lockleaf-{name}")


def return_memory() -> None:
    """Have this process, and those forked from it, give large pieces of memory back to the system as they are freed.

    The C library of Linux learns from the first password check, which takes 19 MiB, to keep pieces of that size, and
    keeps a heap for each thread that checks one.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    for number, value in _MALLOPT.values():
        mallopt(number, value)


def resident_bytes() -> dict[str, int]:
    """Return the resident memory of this server's processes by what they are, in bytes.

    ``supervisor`` is the parent, which the others are forked from and share much of their memory with, ``web_worker``
    what serves requests, ``job_worker`` what does the background work, ``evaluator`` what adds up encrypted metrics.
    PostgreSQL is not counted: its processes share most of what each seems to have. Where the system does not tell, the
    answer is empty.
    """
    children: dict[int, list[int]] = defaultdict(list)
    resident: dict[int, int] = {}
    names: dict[int, str] = {}
    for entry in _PROC.glob("[0-9]*/stat"):
        try:
            # The name stands in brackets, and may hold spaces and brackets itself.
            head, _, tail = entry.read_text().rpartition(")")
        except OSError:  # it has ended meanwhile
            continue
        pid, fields = int(entry.parent.name), tail.split()
        children[int(fields[1])].append(pid)
        resident[pid] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        names[pid] = head.partition("(")[2]
    if os.getpid() not in resident:
        return {}
    taken: dict[str, int] = defaultdict(int)
    ours = {os.getpid(): "web_worker"}
    if multiprocessing.parent_process() is not None:
        supervisor = os.getppid()
        ours = {pid: _NAMES[names[pid]] for pid in children[supervisor] if names[pid] in _NAMES}
        taken["supervisor"] = resident.get(supervisor, 0)
    for pid, name in ours.items():
        taken[name] += resident[pid]
        if name == "web_worker":
            taken["evaluator"] += sum(resident[child] for child in children[pid])
    return dict(taken)
