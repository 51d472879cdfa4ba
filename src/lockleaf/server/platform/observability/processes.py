"""How much memory the processes of this server take, as Linux tells it."""

from __future__ import annotations

import multiprocessing
import os
from collections import defaultdict
from pathlib import Path

__all__ = ["resident_bytes"]

_PROC = Path("/proc")
_SPAWNED = b"multiprocessing.spawn"


def resident_bytes() -> dict[str, int]:
    """Return the resident memory of this server's processes by what they are, in bytes.

    ``supervisor`` is the parent, which does the background work where no other process does, ``web_worker`` what serves
    requests, ``evaluator`` what adds up encrypted metrics. PostgreSQL is not counted: its processes share most of what
    each seems to have. Where the system does not tell, the answer is empty.
    """
    parent = os.getpid() if multiprocessing.parent_process() is None else os.getppid()
    taken: dict[str, int] = defaultdict(int)
    children: dict[int, list[int]] = defaultdict(list)
    resident: dict[int, int] = {}
    for entry in _PROC.glob("[0-9]*/stat"):
        try:
            # The name stands in brackets, and may hold spaces and brackets itself.
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        pid = int(entry.parent.name)
        children[int(fields[1])].append(pid)
        resident[pid] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    if parent not in resident:
        return {}
    serving = [parent]
    if multiprocessing.parent_process() is not None:
        taken["supervisor"] = resident[parent]
        serving = [pid for pid in children[parent] if _is_spawned(pid)]
    for pid in serving:
        taken["web_worker"] += resident[pid]
        taken["evaluator"] += sum(resident[child] for child in children[pid])
    return dict(taken)


def _is_spawned(pid: int) -> bool:
    """Tell whether a child of the parent is a worker, and not the database or what looks after it."""
    try:
        return _SPAWNED in (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False
