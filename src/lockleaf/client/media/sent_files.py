"""Sealed files that the server has, kept here for a while: a server that is put back to a backup may lack them again.

They are what was sent, to the byte, and open with the same keys. They lie beside those that wait, and are deleted when
they are a month old, or when they take more than half a gibibyte together, the oldest first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lockleaf.client.profile.private_files import make_private_folder

__all__ = ["SentFiles"]

SECONDS = 30 * 86400.0
BYTES = 512 * 1024 * 1024
_EPOCH = "epoch"


class SentFiles:
    """The folder of sealed files that were sent.

    Args:
        path: of the folder; made, for its owner alone, when it is needed.
        bytes_kept, seconds_kept: how much stays, and for how long.
    """

    def __init__(self, path: Path, *, bytes_kept: int = BYTES, seconds_kept: float = SECONDS) -> None:
        self._path, self._bytes, self._seconds = path, bytes_kept, seconds_kept

    def keep(self, media_id: str, sealed: Path) -> None:
        """Take a sealed file that was sent; one that is too large for this folder is deleted."""
        with suppress(FileNotFoundError):
            if sealed.stat().st_size > self._bytes:
                sealed.unlink()
                return
            make_private_folder(self._path)
            os.utime(sealed)  # from now on its time counts
            sealed.replace(self._file(media_id))

    def of(self, media_id: str) -> Path | None:
        """Return the sealed file of an object, if it is here."""
        path = self._file(media_id)
        return path if path.exists() else None

    def forget(self, media_id: str) -> None:
        """Delete an object's sealed file."""
        self._file(media_id).unlink(missing_ok=True)

    def clean(self, now: float) -> None:
        """Delete what is too old, or too much; ``now`` in seconds since 1970."""
        kept = 0
        for written, size, path in sorted(self._files(), key=lambda each: each[0], reverse=True):
            kept += size
            if kept > self._bytes or written < now - self._seconds:
                path.unlink(missing_ok=True)

    def were_sent_before(self, epoch: str) -> bool:
        """Tell whether some of them were sent while the server's history was in another epoch."""
        try:
            return (self._path / _EPOCH).read_text(encoding="utf-8") != epoch
        except FileNotFoundError:
            return False

    def note_epoch(self, epoch: str) -> None:
        """Note that the server has all of them, or that they wait, in this epoch of its history."""
        if self._path.is_dir() and (self.were_sent_before(epoch) or not (self._path / _EPOCH).exists()):
            draft = self._path / f"{_EPOCH}.new"
            draft.write_text(epoch, encoding="utf-8")
            draft.replace(self._path / _EPOCH)

    def _file(self, media_id: str) -> Path:
        return self._path / f"{media_id}.age"

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._path.glob("*.age"):
            with suppress(FileNotFoundError):
                facts = path.stat()
                yield facts.st_mtime, facts.st_size, path
