"""What waits until it is ended: called by name, in a process of its own."""

from __future__ import annotations

import threading

__all__ = ["wait"]


def wait() -> None:
    """Say so, and wait."""
    print("works", flush=True)
    threading.Event().wait()
