"""What a process of the command line does before anything else, once it can be interrupted."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import sys
from typing import Any, cast

from lockleaf.cli.ending import end_at_once_when_interrupted
from lockleaf.cli.surroundings import put_in_order

__all__ = ["collect_from_now_on", "prepare"]

_OBJECTS = 20_000


def prepare() -> None:
    """Let an interrupt end the process at once, forbid images of its memory, and put its surroundings in order.

    What libraries would load for nothing is left out. Nothing is collected while what the command needs is loaded,
    since all of it stays; see `collect_from_now_on`.
    """
    gc.disable()
    end_at_once_when_interrupted()
    _forbid_core_dumps()
    put_in_order()
    _leave_out()


def collect_from_now_on() -> None:
    """Begin to look for cycles, as a command begins: among what it makes, and not among what it was loaded with.

    They are looked for after 20,000 objects. A short command makes fewer, and one that runs for long stays small. It
    does nothing in a process that `prepare` did not begin: a program that calls the command line, or a test.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.set_threshold(_OBJECTS)
        gc.enable()


def _forbid_core_dumps() -> None:
    """Keep the system from writing this process's memory, with keys and open text in it, to the disk.

    It holds for what is started from here too, workers of a server among them.
    """
    if os.environ.get("LOCKLEAF_ALLOW_CORE_DUMPS") == "1":
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _leave_out() -> None:
    """Spare a command what its libraries load on top: httpx its own command line, Pydantic a search for plugins.

    The first takes with it Rich and Pygments, which happen to be installed; the second reads what every installed
    package says of itself, and a plugin would see what is validated here.
    """
    sys.modules["httpx._main"] = cast(Any, None)  # taken for not installed
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
