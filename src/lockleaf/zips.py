"""ZIP files that somebody else made: one error for all the ways in which they are damaged."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

__all__ = ["DAMAGED_ZIP", "open_zip"]

DAMAGED_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # packed neither by deflate nor not at all
    RuntimeError,  # locked with a password
)
"""What reading a file of a ZIP raises where the ZIP is to blame."""


class _Read(zipfile.ZipFile):
    """A ZIP file of which parts are read that are packed as ZIP files are.

    Damage in what bzip2 or LZMA packed is told as a fault of the disk, or by errors of their own.
    """

    def open(self, name: str | zipfile.ZipInfo, *args: Any, **options: Any) -> IO[bytes]:
        info = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NotImplementedError("packed otherwise")
        try:
            return super().open(name, *args, **options)
        except (struct.error, UnicodeDecodeError):
            raise zipfile.BadZipFile("the beginning of a part is damaged") from None


def open_zip(file: Path | IO[bytes]) -> zipfile.ZipFile:
    """Open a ZIP file to read it.

    Raises:
        zipfile.BadZipFile: it is not a ZIP file, or it is damaged.
        OSError: it cannot be read.
    """
    try:
        opened = _Read(file)
    except (*DAMAGED_ZIP, ValueError, struct.error):
        raise zipfile.BadZipFile("not a whole ZIP file") from None
    # Files would begin before its beginning, which the system refuses as it would a fault of the disk, or have no name.
    if any(info.header_offset < 0 or not info.filename for info in opened.infolist()):
        opened.close()
        raise zipfile.BadZipFile("a part of the ZIP file is missing")
    return opened
