"""A file that is being received, before it is sealed for the store: without a name, and encrypted to nobody.

An attachment may come from a pipe or a browser, and is read twice: to be sealed, and for a small picture of it. In the
clear its bytes would stay in the free blocks of the disk. So they are encrypted under a key that only this object has,
and that ends with it. Nothing reads the file but this object, so that nothing has to tell whether it was changed.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from lockleaf.client.profile.private_files import full_disk_by_name

__all__ = ["Spool"]

_BLOCK = 16


class Spool(io.RawIOBase):
    """Takes bytes at its end, and gives them from any place.

    Args:
        folder: whose disk takes the file; it has no name there.

    Raises:
        DiskFull: there is no space, here and in `append`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.size = 0
        self._at = 0
        self._key = os.urandom(32)
        with full_disk_by_name():
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (closed with this)
        self._sealing = self._stream(0)

    def _stream(self, block: int) -> CipherContext:
        counter = block.to_bytes(_BLOCK, "big")
        return Cipher(AES(self._key), CTR(counter)).encryptor()

    def append(self, data: bytes) -> None:
        """Take bytes behind those that are there; blocks."""
        with full_disk_by_name():
            self._file.seek(0, os.SEEK_END)
            self._file.write(self._sealing.update(data))
        self.size += len(data)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from any place."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, and return it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: object) -> int:
        """Read into a buffer; return how many bytes."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Return up to so many bytes, all that follow if negative."""
        block, within = divmod(self._at, _BLOCK)
        self._file.seek(block * _BLOCK)
        wanted = self.size - self._at if size < 0 else size
        stream = self._stream(block)
        data: bytes = stream.update(self._file.read(within + max(0, wanted)))[within:]
        self._at += len(data)
        return data

    def close(self) -> None:
        """Let go of the bytes."""
        if not self.closed:
            self._file.close()
        super().close()
