"""Where an editor works on a draft: a private folder, in memory where the machine has such a place."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["in_memory", "make_draft_folder", "other_files", "remove_plain"]

_MOUNTS = Path("/proc/self/mountinfo")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (a folder of our own, 0700, is made in it)
_PREFIX = "lockleaf-"


def make_draft_folder() -> Path:
    """Make a folder for one draft, for its owner alone: editors put their own copies beside a file.

    The user's runtime folder comes first, then shared memory, so that the text never touches the disk; only where
    there is neither, the folder for temporary files.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    for place in (Path(runtime) if runtime else None, _SHARED_MEMORY if in_memory(_SHARED_MEMORY) else None):
        if place is not None and os.access(place, os.W_OK | os.X_OK):
            with suppress(OSError):
                return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


def in_memory(path: Path) -> bool:
    """Return whether ``path`` lies in a file system that is kept in memory; False where that cannot be told."""
    wanted = path.resolve()
    best, kind = -1, ""
    try:
        for line in _MOUNTS.read_text().splitlines():
            before, _, behind = line.partition(" - ")
            point = Path(before.split()[4].encode().decode("unicode_escape"))
            if wanted.is_relative_to(point) and len(point.parts) >= best:
                best, kind = len(point.parts), behind.split()[0]
    except (OSError, IndexError, UnicodeError):
        return False
    return kind in _IN_MEMORY


def other_files(folder: Path, file: Path) -> list[Path]:
    """Return what an editor left in ``folder`` beside ``file``: no hidden files, and no backups of it."""
    try:
        left = sorted(folder.iterdir())
    except OSError:
        return []
    return [
        each
        for each in left
        if each != file
        and each.is_file()
        and not each.name.startswith((".", "#"))
        and not each.name.endswith(("~", ".swp", ".bak"))
        and each.stat().st_size
    ]


def remove_plain(file: Path) -> None:
    """Remove the plain file of a draft and the folder that was made for it, with what an editor put beside it."""
    if file.parent.name.startswith(_PREFIX):
        shutil.rmtree(file.parent, ignore_errors=True)
    else:
        file.unlink(missing_ok=True)
