"""What lies in a folder, as somebody who copied it finds it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["bytes_below"]


def bytes_below(folder: Path) -> bytes:
    """Return the bytes of every file below ``folder``, one after the other."""
    return b"\0".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
