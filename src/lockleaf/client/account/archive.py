"""Fetching an archive of everything that the server holds of the account, as it holds it.

The server makes it in the background, which takes as long as there is much. What arrives is written beside the file and
gets its name when it is whole and what the server said it would be.
"""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO
from uuid import UUID

from lockleaf.client.account.archive_files import FetchSealed, add_sealed_files
from lockleaf.client.errors import ArchiveNotBegun, DiskFull, InvalidAnswer, error_for
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.transport.http import Download, Transport
from lockleaf.wire.fields import decode_base64
from lockleaf.wire.jobs import Job
from lockleaf.wire.problem_documents import Problem
from lockleaf.wire.problems import ErrorCode

__all__ = ["PATIENCE", "Archive", "fetch_archive"]

PATIENCE = 60.0
"""Seconds to wait for a server to begin."""

_ZIP = "application/zip"
_WAITS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds between two looks at the job, the last one again and again."""
_AT_ONCE = 1024 * 1024
_DIGEST = "sha-256=:"


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was fetched.

    Attributes:
        path: the file, a ZIP.
        size: in bytes.
        sha256: of its bytes.
        files: how many sealed files of attachments are in it.
        missing: the ids of those that the server could not give.
    """

    path: Path
    size: int
    sha256: bytes
    files: int = 0
    missing: tuple[str, ...] = ()


async def fetch_archive(
    transport: Transport,
    path: Path,
    progress: ProgressCallback | None = None,
    *,
    overwrite: bool = False,
    fetch: FetchSealed | None = None,
    patience: float = PATIENCE,
) -> Archive:
    """Have an archive made, wait for it, and write it to ``path``, whole or not at all; readable by its owner alone.

    Args:
        progress: told how far the server is with making it (stage "archive", in rows) and how far this device is with
            fetching it ("download", in bytes).
        overwrite: replace a file that is there.
        fetch: gives sealed files, which are put into the archive; None leaves them out.
        patience: seconds to wait for the server to begin; once it has, it may take as long as it needs.

    Raises:
        FileExistsError: a file is there.
        FileNotFoundError: there is no such folder.
        ArchiveNotBegun: the server has not begun; the archive will be made all the same.
        DiskFull: there is no space for it.
        InvalidAnswer: what came is not what the server said it would send.
        ApiError: the subclass of the server's error code, also where the job failed with it.
        TransportError: the server cannot be reached.
    """
    _look_before(path, overwrite)
    job_id = await _made(transport, progress, patience)
    with _placed(path) as file:
        async with transport.download(f"/users/me/export/{job_id}", _ZIP) as download:
            archive = await _received(download, file, path, progress)
        if fetch is not None:
            added = await add_sealed_files(file, fetch, progress)
            size, digest = await asyncio.to_thread(_measured, file)
            archive = Archive(path, size, digest, added.count, added.missing)
        await asyncio.to_thread(_settle, file)
    return archive


def _look_before(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))


@contextmanager
def _placed(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that bears the name ``path`` once the ``with`` has ended well, and is gone otherwise."""
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            yield file
        temporary.replace(path)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull from None
        raise


async def _made(transport: Transport, progress: ProgressCallback | None, patience: float) -> UUID:
    job = await transport.request("POST", "/users/me/export", answer=Job)
    now = asyncio.get_running_loop().time
    looked, began_to_wait = 0, now()
    while job.state in ("queued", "running"):
        if job.started_at is None and now() - began_to_wait > patience:
            raise ArchiveNotBegun
        if progress is not None and job.progress.total:
            progress(Progress("archive", job.progress.done, job.progress.total))
        await asyncio.sleep(_WAITS[min(looked, len(_WAITS) - 1)])
        looked += 1
        job = await transport.request("GET", f"/jobs/{job.id}", answer=Job)
    if job.state != "succeeded":
        # One that was given up belonged to what a lowered privacy tier deleted.
        code = job.error_code or ErrorCode.NOT_FOUND
        raise error_for(Problem(type="about:blank", title=code, status=500, detail=code, code=code))
    return job.id


async def _received(download: Download, file: IO[bytes], path: Path, progress: ProgressCallback | None) -> Archive:
    digest, size, waiting = sha256(), 0, bytearray()

    def keep() -> None:
        digest.update(waiting)
        file.write(waiting)
        waiting.clear()

    async for part in download.parts:
        size += len(part)
        waiting += part
        if len(waiting) >= _AT_ONCE:
            await asyncio.to_thread(keep)
            if progress is not None and download.size:
                progress(Progress("download", size, download.size))
    await asyncio.to_thread(keep)
    if download.size not in (None, size) or digest.digest() != _told(download.digest):
        raise InvalidAnswer
    return Archive(path, size, digest.digest())


def _measured(file: IO[bytes]) -> tuple[int, bytes]:
    digest = sha256()
    file.seek(0)
    while part := file.read(_AT_ONCE):
        digest.update(part)
    return file.tell(), digest.digest()


def _told(header: str | None) -> bytes:
    """Return the digest that the server's ``Repr-Digest`` names (RFC 9530)."""
    if header is None or not header.startswith(_DIGEST) or not header.endswith(":"):
        raise InvalidAnswer
    try:
        return decode_base64(header[len(_DIGEST) : -1])
    except ValueError:
        raise InvalidAnswer from None


def _settle(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
