"""How much memory PostgreSQL takes and counts on, by the machine that it is on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["memory_bytes", "settings_for"]

_MIB = 2**20
_LEAST, _MOST = 16, 128
_USUAL = 2 * 2**30
"""Taken for the memory of a machine that does not tell."""
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def settings_for(memory: int) -> Mapping[str, str]:
    """Return PostgreSQL's settings for a machine with so many bytes of memory, of which the server has its part too.

    Its own cache holds what everybody asks for, and is no larger than that on large machines: the rest is in the
    system's cache, which grows and shrinks with what else runs there. The planner is told of half of the memory.
    """
    own = min(max(memory // (16 * _MIB), _LEAST), _MOST)
    return {
        "shared_buffers": f"{own}MB",
        "maintenance_work_mem": f"{own // 2}MB",
        "effective_cache_size": f"{max(memory // (2 * _MIB), own)}MB",
    }


def memory_bytes() -> int:
    """Return the memory of this machine, or of the container if that has less."""
    found = [_USUAL]
    with contextlib.suppress(ValueError, OSError, AttributeError):
        found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in _LIMITS:
        with contextlib.suppress(ValueError, OSError):  # no container, or "max"
            found.append(int(limit.read_text()))
    return min(found)
