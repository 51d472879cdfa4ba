"""Names of exported files: the same for the same entry each time, and good on every system.

An entry's name is its day and the end of its id, so that neither an edit nor another entry changes it; ids of Lockleaf
end in random digits and begin with the time. Only what an attachment is called comes from a person, and only as the
last part of a path.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from pathlib import PurePosixPath
from uuid import UUID

from lockleaf.client.media.file_names import safe_name
from lockleaf.client.records.attachments import Attachment
from lockleaf.client.records.entries import Entry

__all__ = ["ATTACHMENTS", "FileNames", "file_names"]

ATTACHMENTS = "attachments"
_TAIL = 12
_LIMIT = 100
"""Bytes of an attachment's name: with its folders it fits into the 260 characters of a path on Windows."""


class FileNames:
    """The names of one export's entries, each given once."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def stem(self, entry: Entry) -> str:
        """Return the name of an entry, without folder and ending.

        Two entries of a day whose ids end alike, which somebody must have meant, differ by the whole of the id.
        """
        whole = _digits(entry.id)
        stem = f"{entry.day.isoformat()}-{whole[-_TAIL:]}"
        if self._given.setdefault(stem, entry.id) != entry.id:
            stem = f"{entry.day.isoformat()}-{whole}"
            self._given[stem] = entry.id
        return stem


def _digits(entry_id: str) -> str:
    try:
        return UUID(entry_id).hex
    except ValueError:
        # An id of another program: nothing of it becomes part of a path.
        return sha256(entry_id.encode("utf-8", "replace")).hexdigest()[:32]


def file_names(year: str, stem: str, attachments: Iterable[Attachment]) -> list[str]:
    """Return the paths of an entry's attachments, in their order, below the folder of the export."""
    folder = PurePosixPath(ATTACHMENTS, year, stem)
    taken: set[str] = set()
    paths = []
    for attachment in attachments:
        name = first = safe_name(attachment.name, attachment.media_type, limit=_LIMIT)
        number = 1
        while _folded(name) in taken:
            number += 1
            parts = PurePosixPath(first)
            name = f"{parts.stem}-{number}{parts.suffix}"
        taken.add(_folded(name))
        paths.append(str(folder / name))
    return paths


def _folded(name: str) -> str:
    """Return what file systems compare that do not tell case, or ways of composing letters, apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
