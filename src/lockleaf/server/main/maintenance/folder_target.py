"""A backup in a folder that keeps several of them; attached files that they have in common are there once."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from lockleaf.server.main.maintenance.errors import BackupExists
from lockleaf.server.main.maintenance.manifest import FILES, MANIFEST, MOMENT, Manifest, Part
from lockleaf.server.main.maintenance.sealing import SealedWriter
from lockleaf.server.main.maintenance.writing import FILE_NAME, SUFFIX, Counted, PartWriter, new_file
from lockleaf.server.platform.blobs.open_files import sync_folder

__all__ = ["FolderTarget"]


class FolderTarget:
    """A folder that keeps several backups; what they have in common is there once.

    Args:
        path: of the folder.
        moment: the name of this backup.
        recipient: to whom its parts are sealed.
        keep: how many backups stay, this one included.
    """

    def __init__(self, path: Path, moment: str, recipient: str | None, keep: int) -> None:
        self.encrypted = recipient is not None
        self._path, self._moment, self._recipient, self._keep = path, moment, recipient, keep
        self._parts: dict[str, Part] = {}
        self._shelf: tuple[str, dict[str, tuple[str, int]]] = ("", {})
        if path.exists() and not path.is_dir():
            raise BackupExists(f"{path} is a file. A backup in one file has a name that ends in .tar or .tar.age.")
        if path.is_dir() and any(path.iterdir()) and not any(map(_is_ours, path.iterdir())):
            raise BackupExists(
                f"{path} is a folder with something else in it. Give a new folder, or one that has backups."
            )
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        (path / "files").mkdir(mode=0o700, exist_ok=True)
        if (path / moment).exists():
            raise BackupExists(f"{path / moment} is there already. Wait a second, and run it again.")
        for left in path.glob(".making-*"):
            shutil.rmtree(left, ignore_errors=True)
        self._making = path / f".making-{moment}"
        self._making.mkdir(mode=0o700)

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[PartWriter]:
        """Write a part to a file of its own."""
        # What the list names lies beside it under the same names.
        recipient = None if name == FILES else self._recipient
        stored = name if recipient is None else name + SUFFIX
        with new_file(self._making / stored) as file:
            counted = Counted(file)
            if recipient is None:
                yield counted
            else:
                sealed = SealedWriter(counted, recipient)  # type: ignore[arg-type]  # it only writes
                try:
                    yield sealed
                except BaseException:
                    sealed.abandon()
                    raise
                sealed.close()
        self._parts[stored] = counted.part()

    def digest_of(self, key: str, size: int) -> str | None:
        """Look it up among the files of its shelf, of which one is in memory at a time."""
        name = key[-2:]
        if self._shelf[0] != name:
            self._shelf = name, dict(_files_in(self._path / "files" / name))
        digest, there = self._shelf[1].get(key, ("", -1))
        return digest if there == size else None

    @contextlib.contextmanager
    def file(self, key: str, size: int) -> Iterator[Counted]:
        """Write a file under a name of its own, which holds its digest."""
        shelf = self._path / "files" / key[-2:]
        shelf.mkdir(mode=0o700, exist_ok=True)
        draft = self._making / f"file-{secrets.token_hex(8)}"
        try:
            with new_file(draft) as file:
                counted = Counted(file)
                yield counted
            made = counted.part()
            if made.bytes == size:
                draft.replace(shelf / f"{key}-{made.sha256}")
                sync_folder(shelf)
        finally:
            draft.unlink(missing_ok=True)

    def parts(self) -> dict[str, Part]:
        """Return the parts with their names as they are stored."""
        return dict(self._parts)

    def finish(self, manifest: Manifest) -> Path:
        """Give the backup its name, and let the oldest go."""
        with new_file(self._making / MANIFEST) as file:
            file.write(manifest.written())
        sync_folder(self._making)
        sync_folder(self._path / "files")
        made = self._making.rename(self._path / self._moment)
        sync_folder(self._path)
        self._drop_oldest()
        return made

    def _drop_oldest(self) -> None:
        kept = sorted((each for each in self._path.iterdir() if MOMENT.fullmatch(each.name)), reverse=True)
        dropped = kept[self._keep :]
        for each in dropped:
            hidden = each.rename(self._path / f".making-{each.name}")
            shutil.rmtree(hidden)
        if dropped:
            self._drop_files(kept[: self._keep])

    def _drop_files(self, kept: list[Path]) -> None:
        """Delete files that no backup that is kept names. The lists are in the order of shelves: one is in memory."""
        with contextlib.ExitStack() as stack:
            lists = [map(_key_in, stack.enter_context((each / FILES).open("rb"))) for each in kept]
            merged = heapq.merge(*lists, key=lambda key: key[-2:])
            by_shelf = itertools.groupby(merged, key=lambda key: key[-2:])
            shelf, named = next(by_shelf, ("", iter(())))
            for folder in sorted((self._path / "files").iterdir()):
                while shelf and shelf < folder.name:
                    shelf, named = next(by_shelf, ("", iter(())))
                known = set(named) if shelf == folder.name else set()
                for file in folder.iterdir():
                    found = FILE_NAME.fullmatch(file.name)
                    if found is not None and found[1] not in known:
                        file.unlink()

    def abandon(self) -> None:
        """Remove what was begun; files that are whole stay for the next time."""
        shutil.rmtree(self._making, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    return path.name == "files" or path.name.startswith(".making-") or MOMENT.fullmatch(path.name) is not None


def _files_in(shelf: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    with contextlib.suppress(FileNotFoundError), os.scandir(shelf) as entries:
        for entry in entries:
            if found := FILE_NAME.fullmatch(entry.name):
                yield found[1], (found[2], entry.stat(follow_symlinks=False).st_size)


def _key_in(line: bytes) -> str:
    key: str = json.loads(line)["key"]
    return key
