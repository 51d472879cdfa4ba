"""What a process of the command line does before anything else, once it can be interrupted."""

from __future__ import annotations

import contextlib
import os
import resource

from lockleaf.cli.ending import end_at_once_when_interrupted
from lockleaf.cli.surroundings import put_in_order

__all__ = ["prepare"]


def prepare() -> None:
    """Let an interrupt end the process at once, forbid images of its memory, and put its surroundings in order."""
    end_at_once_when_interrupted()
    _forbid_core_dumps()
    put_in_order()


def _forbid_core_dumps() -> None:
    """Keep the system from writing this process's memory, with keys and open text in it, to the disk.

    It holds for what is started from here too, workers of a server among them.
    """
    if os.environ.get("LOCKLEAF_ALLOW_CORE_DUMPS") == "1":
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
