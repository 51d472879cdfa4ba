"""What programs for notes export: Standard Notes, Joplin, Google Keep."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["JoplinNotes", "keep_note", "standard_note", "standard_tag", "write_keep", "write_standard_notes"]


def standard_note(title: str, text: str, created: str = "2020-01-02T03:04:05.678Z", **content: Any) -> dict[str, Any]:
    """A note of a decrypted backup of Standard Notes."""
    return {
        "uuid": str(uuid.uuid4()),
        "content_type": "Note",
        "content": {
            "title": title,
            "text": text,
            "references": [],
            "appData": {"org.standardnotes.sn": {"client_updated_at": created}},
            **content,
        },
        "created_at": created,
        "updated_at": created,
        "duplicate_of": None,
    }


def standard_tag(title: str, *notes: Mapping[str, Any]) -> dict[str, Any]:
    """A tag of Standard Notes with its notes."""
    references = [{"uuid": note["uuid"], "content_type": "Note"} for note in notes]
    content = {"title": title, "references": references, "appData": {}}
    return {"uuid": str(uuid.uuid4()), "content_type": "Tag", "content": content, "created_at": "2020-01-01T00:00:00Z"}


def write_standard_notes(path: Path, items: Iterable[Mapping[str, Any]]) -> Path:
    """Write a backup as the program does: the file, and the notes again as text files beside it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps({"version": "004", "items": list(items)}, indent=2)
        archive.writestr("Standard Notes Backup and Import File.txt", text)
        archive.writestr("Items/Note/again-1234.txt", "the same once more")
    return path


class JoplinNotes:
    """Items of Joplin, to be written as JEX or RAW."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def add(self, kind: int, text: str = "", **fields: Any) -> str:
        """Add an item, and return its id."""
        identity = f"{len(self.files):032x}"
        stamped = {"id": identity, "created_time": "2020-01-02T03:04:05.678Z", **fields, "type_": kind}
        properties = "\n".join(f"{name}: {value}" for name, value in stamped.items())
        self.files[f"{identity}.md"] = (f"{text}\n\n{properties}" if text else properties).encode()
        return identity

    def note(self, title: str, body: str, **fields: Any) -> str:
        """Add a note."""
        return self.add(1, f"{title}\n\n{body}", **{"parent_id": "", "markup_language": 1, "latitude": "0.0", **fields})

    def resource(self, name: str, data: bytes, suffix: str, *, missing: bool = False) -> str:
        """Add a file."""
        identity = self.add(4, name, mime="", file_extension=suffix, size=len(data))
        if not missing:
            self.files[f"resources/{identity}.{suffix}"] = data
        return identity

    def tag(self, name: str, *notes: str) -> None:
        """Tag notes."""
        tag = self.add(5, name)
        for note in notes:
            self.add(6, note_id=note, tag_id=tag)

    def write_jex(self, path: Path) -> Path:
        """Write them as one file."""
        with tarfile.open(path, "w") as archive:
            for name, data in self.files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path

    def write_raw(self, folder: Path) -> Path:
        """Write them as a folder."""
        for name, data in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder


def keep_note(title: str, text: str | None, created: datetime, **fields: Any) -> dict[str, Any]:
    """A note as Takeout has it."""
    microseconds = int(created.timestamp() * 1_000_000)
    return {
        "color": "DEFAULT",
        "isTrashed": False,
        "isPinned": False,
        "isArchived": False,
        "title": title,
        **({} if text is None else {"textContent": text}),
        "userEditedTimestampUsec": microseconds + 5_000_000,
        "createdTimestampUsec": microseconds,
        **fields,
    }


def write_keep(path: Path, notes: Mapping[str, Mapping[str, Any]], files: Mapping[str, bytes] | None = None) -> Path:
    """Write a Takeout of ``notes``, by the names of their files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Takeout/archive_browser.html", "<html></html>")
        archive.writestr("Takeout/Keep/Labels.txt", "walks\n")
        for name, note in notes.items():
            archive.writestr(f"Takeout/Keep/{name}.json", json.dumps(note))
            archive.writestr(f"Takeout/Keep/{name}.html", "<html>the same</html>")
        for name, data in (files or {}).items():
            archive.writestr(f"Takeout/Keep/{name}", data)
    return path
