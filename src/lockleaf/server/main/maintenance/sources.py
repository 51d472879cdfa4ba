"""Reading a backup: each part is held against the manifest, and each attached file against its digest."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lockleaf.server.main.maintenance.errors import BackupDamaged, BackupUnreadable
from lockleaf.server.main.maintenance.manifest import FILES, MANIFEST, MOMENT, SECRETS, Manifest
from lockleaf.server.main.maintenance.sealing import Opener, opened
from lockleaf.server.main.maintenance.targets import is_one_file
from lockleaf.server.main.maintenance.writing import SUFFIX

__all__ = ["ListedFile", "Source", "moments", "open_backup"]

PIECE = 1024 * 1024
_KEY = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MEMBER = re.compile(
    r"(?:(?P<moment>\d{8}T\d{6}Z)/(?:(?P<manifest>manifest\.json)|"
    r"(?P<part>database\.dump|files\.jsonl|secrets\.json)\.(?P<part_number>\d{8}))"
    r"|files/(?P<key>[0-9a-f]{40})(?:\.(?P<number>\d{8})|-(?P<digest>[0-9a-f]{64})))"
)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """An attached file of a backup; without a digest where it is not in it."""

    key: str
    size: int
    sha256: str | None


class Source:
    """A backup in a folder.

    Args:
        moment: the folder of this backup.
        files: that of the attached files.
        identities: what opens it.
    """

    def __init__(self, moment: Path, files: Path, identities: Opener) -> None:
        self._moment, self._files, self._identities = moment, files, identities
        try:
            self.manifest = Manifest.read((moment / MANIFEST).read_bytes())
        except OSError:
            raise BackupUnreadable(
                f"{moment} has no manifest that can be read, so it is no whole backup. Give another one."
            ) from None

    @property
    def name(self) -> str:
        """When it was made, as its folder is called."""
        return self._moment.name

    def has(self, name: str) -> bool:
        """Tell whether it has a part."""
        return name in self.manifest.parts or name + SUFFIX in self.manifest.parts

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Give a part as a stream; at the end it is known whether it is what was written.

        Raises:
            BackupDamaged: it is not.
            IdentityRequired: it is sealed, and there is no identity.
        """
        stored = name if name in self.manifest.parts else name + SUFFIX
        expected = self.manifest.parts.get(stored)
        if expected is None:
            raise BackupDamaged(f"The backup has no part {name}. Nothing was changed. Use another backup.")
        try:
            with (self._moment / stored).open("rb") as file:
                hashed = _Hashed(file)
                if stored.endswith(SUFFIX):
                    with opened(hashed, self._identities) as plain:  # type: ignore[arg-type]  # it is only read
                        yield plain
                else:
                    yield hashed  # type: ignore[misc]
                while hashed.read(PIECE):
                    pass
        except FileNotFoundError:
            raise BackupDamaged(f"The part {stored} of the backup is missing. Use another backup.") from None
        if (hashed.bytes, hashed.hexdigest()) != (expected.bytes, expected.sha256):
            raise BackupDamaged(f"The part {stored} of the backup is not what was written. Use another backup.")

    async def pieces(self, name: str) -> AsyncGenerator[bytes, None]:
        """Yield a part piece by piece; raises as `open`."""
        with self.open(name) as stream:
            while piece := await asyncio.to_thread(stream.read, PIECE):
                yield piece

    def check_parts(self) -> None:
        """Read every part to its end.

        Raises:
            BackupDamaged, IdentityRequired: as `open`.
        """
        for stored in self.manifest.parts:
            with self.open(stored.removesuffix(SUFFIX)):
                pass

    def secrets(self) -> bytes | None:
        """Return the server's own secrets, if they are in it."""
        if not self.has(SECRETS):
            return None
        with self.open(SECRETS) as stream:
            return stream.read()

    def listed(self) -> Iterator[ListedFile]:
        """Yield the attached files that belong to it."""
        with self.open(FILES) as stream:
            for line in stream:
                try:
                    each = json.loads(line)
                    file = ListedFile(each["key"], each["size"], each["sha256"])
                    whole = _KEY.fullmatch(file.key) and (file.sha256 is None or _DIGEST.fullmatch(file.sha256))
                except (ValueError, KeyError, TypeError):
                    whole = None
                if not whole or not isinstance(file.size, int):
                    raise BackupDamaged("The list of attached files in the backup is damaged. Use another backup.")
                yield file

    async def file(self, listed: ListedFile) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of an attached file.

        Raises:
            BackupDamaged: it is missing, or is not what was written; told at its end.
        """
        assert listed.sha256 is not None
        digest, size = hashlib.sha256(), 0
        try:
            with (self._files / listed.key[-2:] / f"{listed.key}-{listed.sha256}").open("rb") as file:
                while piece := await asyncio.to_thread(file.read, PIECE):
                    digest.update(piece)
                    size += len(piece)
                    yield piece
        except FileNotFoundError:
            raise BackupDamaged(f"The attached file {listed.key} of the backup is missing. Use another one.") from None
        if (size, digest.hexdigest()) != (listed.size, listed.sha256):
            raise BackupDamaged(f"The attached file {listed.key} of the backup is damaged. Use another backup.")


class _Hashed:
    """A file that is read from its start to its end, and hashed on the way."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.bytes = 0
        self.hexdigest = self._digest.hexdigest

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        self.bytes += len(data)
        return data

    def __iter__(self) -> Iterator[bytes]:
        for line in self._file:
            self._digest.update(line)
            self.bytes += len(line)
            yield line


def moments(path: Path) -> list[str]:
    """Return the names of the backups in a folder, newest first."""
    with contextlib.suppress(OSError):
        names = (each.name for each in path.iterdir() if (each / MANIFEST).is_file())
        return sorted(filter(MOMENT.fullmatch, names), reverse=True)
    return []


@contextlib.contextmanager
def open_backup(path: Path, identities: Opener, *, scratch: Path, at: str | None = None) -> Iterator[Source]:
    """Give the backup that a path means: the newest of a folder, one of its moments, or one file.

    Args:
        scratch: a folder in which one file is unpacked, and which is left as it was.
        at: the name of an earlier one in the folder.

    Raises:
        BackupUnreadable: there is no backup.
        BackupDamaged, IdentityRequired: it does not open.
    """
    if path.is_file() or is_one_file(path):
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="unpacked-", dir=scratch) as folder:
            try:
                unpacked = _unpack(path, Path(folder), identities)
            except FileNotFoundError:
                raise BackupUnreadable(f"There is no backup at {path}.") from None
            yield Source(unpacked, Path(folder) / "files", identities)
        return
    if MOMENT.fullmatch(path.name) and (path / MANIFEST).is_file():
        yield Source(path, path.parent / "files", identities)
        return
    found = moments(path)
    if not found:
        raise BackupUnreadable(
            f"There is no backup at {path}. Give the folder that `lockleaf admin backup` wrote to, or its file."
        )
    if at is not None and at not in found:
        raise BackupUnreadable(f"There is no backup {at} in {path}. There are: {', '.join(found)}.")
    yield Source(path / (at or found[0]), path / "files", identities)


def _unpack(path: Path, folder: Path, identities: Opener) -> Path:
    """Unpack a backup in one file; return the folder with its manifest."""
    with path.open("rb") as file:
        sealed = file.read(32).startswith(b"age-encryption.org/")
        file.seek(0)
        if not sealed:
            return _unpack_stream(file, folder)
        with opened(file, identities) as plain:
            return _unpack_stream(plain, folder)


def _unpack_stream(stream: IO[bytes], folder: Path) -> Path:
    moment: Path | None = None
    (folder / "files").mkdir(mode=0o700)
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                found = _MEMBER.fullmatch(member.name)
                if found is None or not member.isreg():
                    raise BackupUnreadable("The file holds something that is in no backup of Lockleaf's.")
                data = tar.extractfile(member)
                assert data is not None
                if found["key"] is not None:
                    _unpack_file(found, data, folder / "files" / found["key"][-2:])
                    continue
                moment = folder / found["moment"]
                moment.mkdir(mode=0o700, exist_ok=True)
                with (moment / (found["manifest"] or found["part"])).open("ab") as part:
                    shutil.copyfileobj(data, part, PIECE)
    except (tarfile.TarError, EOFError):
        raise BackupUnreadable("The file is no backup of Lockleaf's, or it is cut short.") from None
    if moment is None:
        raise BackupUnreadable("The file is no backup of Lockleaf's.")
    return moment


def _unpack_file(found: re.Match[str], data: IO[bytes], shelf: Path) -> None:
    shelf.mkdir(mode=0o700, exist_ok=True)
    draft = shelf / found["key"]
    if found["digest"] is not None:
        draft.rename(shelf / f"{found['key']}-{found['digest']}")
        return
    with draft.open("ab") as file:
        shutil.copyfileobj(data, file, PIECE)
