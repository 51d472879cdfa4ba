"""Day One's JSON export."""

from __future__ import annotations

import hashlib
import json
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["DayOneFile", "entry", "journal_json", "write_dayone"]

FOLDERS = {"photos": "photos", "videos": "videos", "audios": "audios", "pdfAttachments": "pdfs"}


def _identifier() -> str:
    return uuid.uuid4().hex.upper()


@dataclass
class DayOneFile:
    """A file of an entry: in which list, its bytes, and its ending."""

    kind: str
    data: bytes
    suffix: str
    identifier: str = field(default_factory=_identifier)
    filename: str | None = None
    missing: bool = False

    @property
    def md5(self) -> str:
        """By which the archive calls it."""
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()

    @property
    def member(self) -> str:
        """Where it lies in the archive."""
        return f"{FOLDERS[self.kind]}/{self.md5}.{self.suffix}"

    @property
    def link(self) -> str:
        """How a text points at it."""
        way = {"photos": "//", "videos": "/video/", "audios": "/audio/", "pdfAttachments": "/pdfAttachment/"}
        return f"![](dayone-moment:{way[self.kind]}{self.identifier})"

    def listed(self) -> dict[str, Any]:
        """What the entry says of it."""
        named = {"filename": self.filename} if self.filename else {}
        return {"identifier": self.identifier, "md5": self.md5, "type": self.suffix, "orderInEntry": 0, **named}


def entry(text: str | None, created: str = "2017-06-28T15:38:37Z", *files: DayOneFile, **fields: Any) -> dict[str, Any]:
    """An entry as the export has it."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        lists.setdefault(file.kind, []).append(file.listed())
    return {
        "uuid": uuid.uuid4().hex.upper(),
        "creationDate": created,
        "modifiedDate": created,
        "timeZone": "Asia/Taipei",
        "starred": False,
        "isPinned": False,
        "isAllDay": False,
        "duration": 0,
        "creationDevice": "iPhone",
        **({} if text is None else {"text": text}),
        **lists,
        **fields,
    }


def journal_json(entries: Iterable[Mapping[str, Any]]) -> str:
    """A journal's file, with slashes as Day One escapes them."""
    return json.dumps({"metadata": {"version": "1.0"}, "entries": list(entries)}, indent=2).replace("/", "\\/")


def write_dayone(
    path: Path, journals: Mapping[str, Iterable[Mapping[str, Any]]], files: Iterable[DayOneFile] = ()
) -> Path:
    """Write an export of ``journals``, by their names, with the bytes of ``files``."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, entries in journals.items():
            archive.writestr(f"{name}.json", journal_json(entries))
        for file in files:
            if not file.missing and file.member not in archive.namelist():
                archive.writestr(file.member, file.data)
    return path
