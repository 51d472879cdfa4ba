"""Objects as files of a folder: the file operations alone, all of which block, and none of which knows HTTP.

    incoming/   what is being written, under names of its own; nobody reads here
    uploads/    a folder for each upload in parts, named by its object and by itself; a file for each part
    objects/    by the last two digits of the key: a file, or the folder of an upload in parts with its manifest
    gone/       an empty file for each key that was deleted, for as long as an address for it can be good

Whatever appears under ``uploads`` and ``objects`` does so by one rename, of something that was written to the disk
before: after a crash it is there whole, or not at all. Parts are never copied together; the manifest says in which
order they are read, so that completing a large upload takes no longer than completing a small one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from lockleaf.server.platform.blobs.open_files import Draft, Segment, sync_folder
from lockleaf.server.platform.blobs.protocol import (
    KEY,
    PartMissing,
    StoredObject,
    StoredPart,
    UploadGone,
    WrongPart,
    require_key,
)

__all__ = ["ObjectFolder"]

MANIFEST = "manifest"
_PART = re.compile(r"(\d{5})-(\d+)-([0-9a-f]{64})")
_UPLOAD = re.compile(r"[0-9a-f]{32}")


class ObjectFolder:
    """The files below ``root``.

    The folders are made when the first is needed, and not again: where they disappear, so has the disk that held them,
    and what is written into their place would be lost with the next mount.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        self._uploads = root / "uploads"
        self._objects = root / "objects"
        self._gone = root / "gone"
        self._prepared = False
        self._preparing = threading.Lock()

    def draft(self) -> Draft:
        """Return a new file to write into."""
        self._prepare()
        return Draft(self._hidden())

    def install(self, draft: Draft, key: str) -> None:
        """Let what was written be the object, in place of another under the same key.

        Raises:
            UploadGone: it was deleted, and comes back by no address that was signed before.
        """
        draft.finish()
        home = self._home(key)
        self._put(draft.path, home)
        # Looked at behind it: a deletion that did not find the object has left its mark by now.
        if self.is_gone(key):
            self._remove(home)
            raise UploadGone(())

    # ---- parts ----

    def begin(self, key: str) -> str:
        """Return the word for a new upload in parts."""
        self._prepare()
        upload = secrets.token_hex(16)
        self._upload(key, upload).mkdir(mode=0o700)
        sync_folder(self._uploads)
        return upload

    def has_upload(self, key: str, upload: str) -> bool:
        """Tell whether there is such an upload in parts."""
        self._prepare()
        return _UPLOAD.fullmatch(upload) is not None and self._upload(key, upload).is_dir()

    def install_part(self, draft: Draft, key: str, upload: str, number: int, *, size: int, sha256: str) -> None:
        """Let what was written be a part.

        Raises:
            UploadGone: there is no such upload any more.
        """
        draft.finish()
        folder = self._upload(key, upload)
        try:
            # Named by its digest too: the same again is the same file, and another does not take its place before
            # completion has chosen. Their times tell which came last.
            draft.path.replace(folder / _part_name(number, size, sha256))
            sync_folder(folder)
        except FileNotFoundError:
            self._prepare()
            raise UploadGone((number,)) from None

    def parts(self, key: str, upload: str) -> list[StoredPart]:
        """Return the parts of an upload, of each number the last that came.

        Raises:
            UploadGone: there is no such upload.
        """
        latest: dict[int, tuple[int, StoredPart]] = {}
        for part, entry in self._found_parts(key, upload):
            written = _written(entry)
            if written is not None and (part.number not in latest or latest[part.number][0] < written):
                latest[part.number] = (written, part)
        return [latest[number][1] for number in sorted(latest)]

    def complete(self, key: str, upload: str, parts: Sequence[StoredPart]) -> None:
        """Make the object of ``parts``, and of nothing else that came.

        Raises:
            PartMissing, UploadGone, WrongPart: as the protocol says.
        """
        found: dict[int, set[str]] = {}
        try:
            for part, entry in self._found_parts(key, upload):
                found.setdefault(part.number, set()).add(entry.name)
        except UploadGone:
            raise UploadGone([part.number for part in parts]) from None
        names = {part.number: _part_name(part.number, part.size, (part.sha256 or b"").hex()) for part in parts}
        if missing := [number for number in names if number not in found]:
            raise PartMissing(missing)
        for number, name in names.items():
            if name not in found[number]:
                raise WrongPart(number)
        try:
            self._assemble(key, upload, list(names.values()), set().union(*found.values()))
        except FileNotFoundError:  # another completion was faster
            self._prepare()
            raise UploadGone([part.number for part in parts]) from None

    def _assemble(self, key: str, upload: str, names: list[str], present: set[str]) -> None:
        folder = self._upload(key, upload)
        draft = self.draft()
        try:
            draft.write([json.dumps({"version": 1, "parts": names}).encode()])
            draft.finish()
            draft.path.replace(folder / MANIFEST)
        finally:
            draft.discard()
        for name in present.difference(names):
            (folder / name).unlink(missing_ok=True)
        sync_folder(folder)
        self._put(folder, self._home(key))
        sync_folder(self._uploads)

    def abort(self, key: str, upload: str) -> None:
        """Throw an upload away, if there is one."""
        self._prepare()
        if _UPLOAD.fullmatch(upload):
            self._remove(self._upload(key, upload))

    def _found_parts(self, key: str, upload: str) -> Iterator[tuple[StoredPart, os.DirEntry[str]]]:
        if not self.has_upload(key, upload):
            raise UploadGone(())
        try:
            entries = os.scandir(self._upload(key, upload))
        except FileNotFoundError:  # completed or given up in this moment
            self._prepare()
            raise UploadGone(()) from None
        with entries:
            for entry in entries:
                if part := _PART.fullmatch(entry.name):
                    yield StoredPart(int(part[1]), int(part[2]), bytes.fromhex(part[3])), entry

    # ---- objects ----

    def stat(self, key: str) -> StoredObject | None:
        """Return what there is of an object. The digest of a file is taken anew: it is that of what the disk has."""
        found = self.find(key)
        if found is None:
            return None
        segments, _ = found
        size = sum(segment.size for segment in segments)
        if len(segments) > 1 or segments[0].path.parent.name == key:
            return StoredObject(size, None)
        with segments[0].path.open("rb") as file:
            return StoredObject(size, hashlib.file_digest(file, "sha256").digest())

    def find(self, key: str) -> tuple[list[Segment], str] | None:
        """Return the files that hold an object, in their order, and a word that changes with it; None if it is gone.

        Raises:
            OSError: it is damaged: a file of it is missing or has another length.
        """
        self._prepare()
        path = self._home(key)
        try:
            facts = path.lstat()
            if stat.S_ISREG(facts.st_mode):
                return [Segment(path, facts.st_size)], f"{facts.st_mtime_ns:x}-{facts.st_size:x}"
            version = (path / MANIFEST).lstat().st_mtime_ns
            segments = [_segment(path, name) for name in json.loads((path / MANIFEST).read_bytes())["parts"]]
        except FileNotFoundError:
            if (path / MANIFEST).exists():
                raise OSError(errno.EIO, "an object's part is missing") from None
            return None
        except (ValueError, KeyError, TypeError):
            raise OSError(errno.EIO, "an object's manifest is damaged") from None
        return segments, f"{version:x}-{sum(each.size for each in segments):x}"

    def delete(self, key: str) -> None:
        """Delete an object, if there is one; nothing is taken in under its key any more."""
        self._prepare()
        home = self._home(key)
        # First this, so that what arrives at the same moment does not stay: nobody would know of it, or count it.
        (self._gone / key).touch(mode=0o600)
        self._remove(home)

    def is_gone(self, key: str) -> bool:
        """Tell whether an object was deleted within the time for which addresses are good."""
        self._prepare()
        return (self._gone / require_key(key)).exists()

    def let_return(self, key: str) -> None:
        """Take something in again under a key that was deleted."""
        self._prepare()
        (self._gone / require_key(key)).unlink(missing_ok=True)

    def shelves(self) -> list[str]:
        """Return the names of the folders that objects lie in."""
        self._prepare()
        return sorted(os.listdir(self._objects))  # noqa: PTH208  (names are all that is wanted)

    def keys(self, shelf: str, written_before: float) -> list[str]:
        """Return the keys of the objects on a shelf that were last written before a time, in seconds of the epoch."""
        with contextlib.suppress(NotADirectoryError), os.scandir(self._objects / shelf) as entries:
            return [entry.name for entry in entries if KEY.fullmatch(entry.name) and _is_older(entry, written_before)]
        return []

    def drop_unfinished(self, touched_before: float) -> int:
        """Throw away what was begun and not touched since a time; return how many things that was."""
        self._prepare()
        self._drop_old(self._gone, touched_before)
        return sum(self._drop_old(folder, touched_before) for folder in (self._incoming, self._uploads))

    def _drop_old(self, folder: Path, touched_before: float) -> int:
        with os.scandir(folder) as entries:
            old = [entry for entry in entries if _is_older(entry, touched_before)]
        for entry in old:
            self._remove(Path(entry.path))
        return len(old)

    # ---- paths ----

    def _home(self, key: str) -> Path:
        # By the end of the key: those of one database begin alike.
        return self._objects / require_key(key)[-2:] / key

    def _upload(self, key: str, upload: str) -> Path:
        return self._uploads / f"{require_key(key)}.{upload}"

    def _prepare(self) -> None:
        """Make the folders, once; afterwards raise an OSError where they are gone, which no absent file says."""
        with self._preparing:
            if self._prepared:
                self._objects.lstat()
                return
            for folder in (self.root, self._incoming, self._uploads, self._objects, self._gone):
                folder.mkdir(mode=0o700, parents=folder is self.root, exist_ok=True)
            sync_folder(self.root)
            sync_folder(self.root.parent)
            self._prepared = True

    def _put(self, source: Path, target: Path) -> None:
        """Give ``source`` its name, and have that on the disk."""
        self._make_shelf(target.parent)
        try:
            source.replace(target)
        except OSError as error:
            # A file does not replace a folder, nor a folder anything that is not empty.
            if error.errno not in (errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST):
                raise
            self._exchange(source, target)
        sync_folder(target.parent)

    def _exchange(self, source: Path, target: Path) -> None:
        hidden = self._hidden()
        target.replace(hidden)
        try:
            source.replace(target)
        except OSError:
            hidden.replace(target)  # somebody else was faster, and it is theirs
            raise
        _drop(hidden)

    def _make_shelf(self, shelf: Path) -> None:
        with contextlib.suppress(FileExistsError):
            shelf.mkdir(mode=0o700)
            sync_folder(self._objects)

    def _remove(self, path: Path) -> None:
        """Remove a file, or a folder: out of sight by one rename first, so that nobody finds half of it."""
        try:
            path.unlink()
        except FileNotFoundError:
            return
        except (IsADirectoryError, PermissionError):  # which of them is the system's choice
            hidden = self._hidden()
            with contextlib.suppress(FileNotFoundError):
                path.replace(hidden)
                _drop(hidden)

    def _hidden(self) -> Path:
        return self._incoming / secrets.token_hex(16)


def _segment(folder: Path, name: str) -> Segment:
    part = _PART.fullmatch(name)
    if part is None or (folder / name).lstat().st_size != int(part[2]):
        raise OSError(errno.EIO, "an object's part is damaged")
    return Segment(folder / name, int(part[2]))


def _written(entry: os.DirEntry[str]) -> int | None:
    """Return when something was last written, in nanoseconds of the epoch; None if it went away in this moment."""
    with contextlib.suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False).st_mtime_ns
    return None


def _is_older(entry: os.DirEntry[str], seconds: float) -> bool:
    written = _written(entry)
    return written is not None and written < seconds * 1e9


def _drop(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _part_name(number: int, size: int, sha256: str) -> str:
    return f"{number:05d}-{size}-{sha256}"
