"""age streams: what is written is sealed to a recipient, what is read is opened by an identity, a piece at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import pyrage

from lockleaf.crypto.errors import BadRecipient
from lockleaf.crypto.identity import parse_recipient
from lockleaf.server.main.maintenance.errors import BackupDamaged, IdentityRequired, MaintenanceError

__all__ = ["Opener", "SealedWriter", "identities_in", "opened", "recipient_of"]

BUFFER = 1024 * 1024
Opener = Sequence[pyrage.x25519.Identity]
"""Identities, any of which may open a backup."""


def recipient_of(text: str) -> str:
    """Return an age recipient that is known to be usable.

    Raises:
        MaintenanceError: it is no recipient.
    """
    try:
        return parse_recipient(text.strip())
    except BadRecipient:
        raise MaintenanceError(
            "That is no age recipient: it begins with age1 and is what `age-keygen` prints as the public key."
        ) from None


def identities_in(path: Path) -> Opener:
    """Return the identities in a file as `age-keygen` writes it.

    Raises:
        MaintenanceError: there are none.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        return tuple(
            pyrage.x25519.Identity.from_str(line.strip()) for line in lines if line.strip() and not line.startswith("#")
        ) or _no_identity(path)
    except (OSError, UnicodeDecodeError, pyrage.IdentityError):
        return _no_identity(path)


def _no_identity(path: Path) -> Opener:
    raise MaintenanceError(
        f"{path} holds no age identity that can be read: a line that begins with AGE-SECRET-KEY-1, as `age-keygen` "
        "writes it."
    )


class _Piped:
    """Lets a library that reads one stream and writes another do so in a thread, with a pipe at one end."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._failure: BaseException | None = None

        def run() -> None:
            try:
                work()
            except BaseException as error:
                self._failure = error

        self._thread = threading.Thread(target=run, name="lockleaf-age")
        self._thread.start()

    def join(self) -> BaseException | None:
        self._thread.join()
        return self._failure


class SealedWriter:
    """A stream whose bytes reach ``target`` as an age file. It has to be closed, or abandoned."""

    def __init__(self, target: IO[bytes], recipient: str) -> None:
        reading, writing = os.pipe()
        self._plain = os.fdopen(writing, "wb", buffering=BUFFER)
        to = [pyrage.x25519.Recipient.from_str(recipient)]

        def seal() -> None:
            with os.fdopen(reading, "rb", buffering=BUFFER) as plain:
                pyrage.encrypt_io(plain, target, to)

        self._sealing = _Piped(seal)
        self._over = False

    def write(self, data: bytes) -> int:
        """Write ``data``.

        Raises:
            OSError: what the target refuses.
        """
        try:
            return self._plain.write(data)
        except BrokenPipeError:
            self._end()
            raise

    def flush(self) -> None:
        """Do nothing: an age file has no end before it is closed."""

    def tell(self) -> int:
        """Return 0; a stream of tar asks for it."""
        return 0

    def close(self) -> None:
        """Bring the last of it to the target."""
        if not self._over:
            self._end()

    def abandon(self) -> None:
        """End the thread; what was written is of no use."""
        if not self._over:
            with contextlib.suppress(OSError):
                self._end()

    def _end(self) -> None:
        self._over = True
        failure: BaseException | None = None
        try:
            self._plain.close()
        except BrokenPipeError as error:
            failure = error
        failure = self._sealing.join() or failure
        if failure is not None:
            raise failure if isinstance(failure, OSError) else OSError("the backup could not be sealed")


@contextlib.contextmanager
def opened(source: IO[bytes], identities: Opener) -> Iterator[IO[bytes]]:
    """Give what an age file holds as a stream. What is left of it is read at the end: only there a cut is noticed.

    Raises:
        IdentityRequired: no identity was given.
        BackupDamaged: none of them opens it, or it is damaged or cut short.
    """
    if not identities:
        raise IdentityRequired("The backup is encrypted. Give the file of the identity that opens it: --identity FILE.")
    reading, writing = os.pipe()

    def unseal() -> None:
        with os.fdopen(writing, "wb", buffering=BUFFER) as plain:
            pyrage.decrypt_io(source, plain, list(identities))

    unsealing = _Piped(unseal)
    failed: BaseException | None = None
    with os.fdopen(reading, "rb", buffering=BUFFER) as plain:
        try:
            yield plain
            while plain.read(BUFFER):
                pass
        except BaseException as error:
            failed = error
    failure = unsealing.join()
    if isinstance(failure, pyrage.DecryptError):
        raise BackupDamaged(
            "The backup does not open with that identity, or it is damaged or cut short. Nothing was changed."
        ) from None
    if failed is not None:
        raise failed
    if failure is not None:
        raise failure
