"""A backup in one file: a tar archive, sealed as a whole where it is encrypted."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lockleaf.server.main.maintenance.errors import BackupExists
from lockleaf.server.main.maintenance.manifest import MANIFEST, Manifest, Part
from lockleaf.server.main.maintenance.sealing import SealedWriter
from lockleaf.server.main.maintenance.writing import Counted, PartWriter, create
from lockleaf.server.platform.blobs.open_files import sync_folder

__all__ = ["TarTarget"]

CHUNK = 8 * 1024 * 1024
"""Of what has no known length before it is written; in memory at a time."""


class TarTarget:
    """One file. It is written under another name, which a crash may leave behind, and renamed when it is whole."""

    def __init__(self, path: Path, moment: str, recipient: str | None) -> None:
        self.encrypted = recipient is not None
        if path.exists():
            raise BackupExists(f"{path} is there already. A backup overwrites nothing: give another name.")
        self._path, self._moment = path, moment
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in path.parent.glob(f".{path.name}.making-*"):
            left.unlink(missing_ok=True)
        self._draft = path.with_name(f".{path.name}.making-{secrets.token_hex(4)}")
        self._file = os.fdopen(create(self._draft), "wb", buffering=1024 * 1024)
        self._sealed = None if recipient is None else SealedWriter(self._file, recipient)
        stream: IO[bytes] = self._file if self._sealed is None else self._sealed  # type: ignore[assignment]
        self._tar = tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._parts: dict[str, Part] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[PartWriter]:
        """Write a part in chunks, each a member of its own: tar wants to know lengths beforehand."""
        chunks = _Chunks(self, f"{self._moment}/{name}")
        counted = Counted(chunks)
        yield counted
        chunks.close()
        self._parts[name] = counted.part()

    def digest_of(self, key: str, size: int) -> str | None:
        """Return None: there is nothing from before."""
        return None

    @contextlib.contextmanager
    def file(self, key: str, size: int) -> Iterator[Counted]:
        """Write a file in chunks; its name is written behind it, since that holds its digest."""
        chunks = _Chunks(self, f"files/{key}")
        counted = Counted(chunks)
        yield counted
        chunks.close()
        made = counted.part()
        if made.bytes == size:
            self.add(f"files/{key}-{made.sha256}", b"")

    def add(self, name: str, data: bytes) -> None:
        """Write a member."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o600
        self._tar.addfile(member, io.BytesIO(data))

    def parts(self) -> dict[str, Part]:
        """Return the parts."""
        return dict(self._parts)

    def finish(self, manifest: Manifest) -> Path:
        """Write the manifest, and give the file its name."""
        self.add(f"{self._moment}/{MANIFEST}", manifest.written())
        self._tar.close()
        if self._sealed is not None:
            self._sealed.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        # A link, since it refuses to replace.
        self._path.hardlink_to(self._draft)
        self._draft.unlink()
        sync_folder(self._path.parent)
        return self._path

    def abandon(self) -> None:
        """Remove the file."""
        if self._sealed is not None:
            self._sealed.abandon()
        with contextlib.suppress(OSError):
            self._file.close()
        self._draft.unlink(missing_ok=True)


class _Chunks:
    """Writes a stream as members of a tar archive: NAME.00000000, NAME.00000001, ..."""

    def __init__(self, target: TarTarget, name: str) -> None:
        self._target, self._name, self._number = target, name, 0
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) >= CHUNK:
            self._put(bytes(self._waiting[:CHUNK]))
            del self._waiting[:CHUNK]
        return len(data)

    def close(self) -> None:
        if self._waiting or not self._number:
            self._put(bytes(self._waiting))

    def _put(self, data: bytes) -> None:
        self._target.add(f"{self._name}.{self._number:08d}", data)
        self._number += 1
