"""The native library for encrypted numbers, which a device may be without."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from lockleaf.client.errors import MetricsNotInstalled

__all__ = ["require_native"]


def require_native() -> None:
    """Let pass who has the extra ``metrics``.

    Raises:
        MetricsNotInstalled: TenSEAL is not installed.
    """
    if not _is_there():
        raise MetricsNotInstalled


@cache
def _is_there() -> bool:
    return find_spec("tenseal") is not None
