"""A store in a folder that takes no writes: a backup that is mounted, a snapshot, another user's folder."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote

from lockleaf.client.errors import ReadOnlyFolder

__all__ = ["ReadOnlyFile", "may_write"]


def may_write(path: Path) -> bool:
    """Return whether SQLite may write to the file and beside it, where it keeps its journal."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


class ReadOnlyFile:
    """Opens an SQLite file without writing anywhere near it.

    What was committed last may still stand in the write-ahead log beside it, which SQLite reads only where it may
    write. Then both are copied to a private temporary folder, sealed as they are, and read there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy: Path | None = None

    def connect(self) -> sqlite3.Connection:
        """Return a connection that reads.

        Raises:
            ReadOnlyFolder: there is no space for a copy that is needed.
        """
        path = self._path
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            path = self._copied(log)
            return _connect(f"file:{quote(str(path))}")
        # Nobody writes to it now; without this SQLite wants to make its index of the log.
        return _connect(f"file:{quote(str(path))}?immutable=1")

    def close(self) -> None:
        """Delete the copy, if one was made."""
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)
            self._copy = None

    def _copied(self, log: Path) -> Path:
        try:
            self._copy = Path(tempfile.mkdtemp(prefix="lockleaf-"))
            for file in (self._path, log):
                shutil.copyfile(file, self._copy / file.name)
        except OSError:
            self.close()
            raise ReadOnlyFolder("and there is no temporary folder with space for a copy to read") from None
        return self._copy / self._path.name


def _connect(address: str) -> sqlite3.Connection:
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256)
