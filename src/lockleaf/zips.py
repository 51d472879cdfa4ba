"""ZIP files that somebody else made: one error for all the ways in which they are damaged."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO

__all__ = ["DAMAGED_ZIP", "open_zip"]

DAMAGED_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # packed in a way that zipfile does not know
    RuntimeError,  # locked with a password
)
"""What reading a file of a ZIP raises where the ZIP is to blame."""


def open_zip(file: Path | IO[bytes]) -> zipfile.ZipFile:
    """Open a ZIP file to read it.

    Raises:
        zipfile.BadZipFile: it is not a ZIP file, or it is damaged.
        OSError: it cannot be read.
    """
    try:
        opened = zipfile.ZipFile(file)
    except (*DAMAGED_ZIP, ValueError, struct.error):
        raise zipfile.BadZipFile("not a whole ZIP file") from None
    # Its files would begin before its beginning, which the system refuses as it would a fault of the disk.
    if any(info.header_offset < 0 for info in opened.infolist()):
        opened.close()
        raise zipfile.BadZipFile("a part of the ZIP file is missing")
    return opened
