"""The folder of sealed files that are on their way: up, until the server has them, or down, until they are opened."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lockleaf.client.errors import UploadAlreadyRunning
from lockleaf.client.media.sent_files import SentFiles
from lockleaf.client.profile.private_files import locked, make_private_folder

__all__ = ["StagedFile", "Staging", "StagingFolder", "staging"]

_BUFFER = 1024 * 1024


class StagedFile:
    """A sealed file of the profile's folder; locked while it is made, so that nobody takes it for a leftover."""

    def __init__(self, path: Path) -> None:
        self.path = path
        handle: int | None = None
        while handle is None:
            # In the moment before the lock somebody who cleans up can have taken it for a leftover.
            handle = _locked(path)
        self.file: IO[bytes] = os.fdopen(handle, "r+b", buffering=_BUFFER)

    def settle(self) -> None:
        """Bring the bytes to the disk."""
        self.file.flush()
        os.fsync(self.file.fileno())

    def release(self) -> None:
        """Let go of the file, which stays."""
        with suppress(OSError):
            self.file.close()

    def discard(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)
        self.release()


class StagingFolder:
    """The sealed files of one profile that the server does not have yet, and pieces of those that it is giving.

    Args:
        path: of the folder; made, for its owner alone, when it is needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sent = SentFiles(path / "sent")

    def of(self, media_id: str) -> Path:
        """Return the place of an object's sealed file."""
        return self.path / f"{media_id}.age"

    def begin(self, media_id: str) -> StagedFile:
        """Make an object's sealed file, empty."""
        make_private_folder(self.path)
        return StagedFile(self.of(media_id))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the right to send what waits here, and to clean up, among all processes.

        Raises:
            UploadAlreadyRunning: another one has it.
        """
        make_private_folder(self.path)
        with locked(self.path / "lock", otherwise=UploadAlreadyRunning):
            yield

    def remove(self, media_id: str) -> None:
        """Delete an object's sealed file, also where it was sent."""
        self.of(media_id).unlink(missing_ok=True)
        self.sent.forget(media_id)

    @contextmanager
    def receive(self, media_id: str) -> Iterator[Path]:
        """Give the place of what was fetched of an object so far, to nobody else while the ``with`` lasts.

        Somebody who fetches the same at the same time gets a place of his own, which is gone afterwards.
        """
        make_private_folder(self.path)
        path = self.path / f"{media_id}.incoming"
        handle = _locked(path)
        if handle is None:
            with tempfile.NamedTemporaryFile(dir=self.path, suffix=".incoming", delete=False) as own:
                path = Path(own.name)
        try:
            yield path
        finally:
            if handle is None:
                path.unlink(missing_ok=True)
            else:
                os.close(handle)

    def clean(self, known: Callable[[str], bool], *, older_than: float) -> None:
        """Delete what a program that was killed left behind.

        Args:
            known: says of a media id whether its sealed file is still needed.
            older_than: seconds since 1970; pieces of downloads untouched since then go too.
        """
        for path in self.path.glob("*.age"):
            with suppress(OSError), path.open("rb") as file:
                # First the lock, then the question: whoever made the file holds it until it is known.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not known(path.stem):
                    path.unlink()
        for path in self.path.glob("*.incoming"):
            with suppress(OSError):
                if path.stat().st_mtime < older_than:
                    path.unlink()


@dataclass
class Staging:
    """Sealed files that are gone at the end unless somebody knows of them."""

    folder: StagingFolder
    files: list[StagedFile] = field(default_factory=list)

    def begin(self, media_id: str) -> StagedFile:
        """Make an object's sealed file, empty."""
        self.files.append(self.folder.begin(media_id))
        return self.files[-1]

    def discard(self, behind: int = 0) -> None:
        """Delete what was made so far, but the first ``behind`` files."""
        for file in self.files[behind:]:
            file.discard()
        del self.files[behind:]


@contextmanager
def staging(folder: StagingFolder) -> Iterator[Staging]:
    """Keep the sealed files that are made in the block if it ends well, and delete them if it does not."""
    begun = Staging(folder)
    try:
        yield begun
    except BaseException:
        begun.discard()
        raise
    for file in begun.files:
        file.release()


def _locked(path: Path) -> int | None:
    """Open a file, made if need be, against other processes, and return its handle; None where another has it."""
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        except FileNotFoundError:
            pass  # whoever had it deleted it in the moment before
        except OSError:
            os.close(handle)
            return None
        os.close(handle)
