"""What libraries look for to know which event loop they run under."""

from __future__ import annotations

import importlib.util
import sys

__all__ = ["look_once_for_sniffio"]


def look_once_for_sniffio() -> None:
    """Let it be known in this process that sniffio is not installed, if it is not.

    httpcore looks for it at each request and each lock, in every folder of the path and by every finder that pytest
    adds: a third of what a client of the SDK costs in a test.
    """
    if importlib.util.find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]
