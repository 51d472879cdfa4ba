"""Reading archives as somebody does who has the file alone."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ReadArchive:
    """What an archive says: its manifest, and the lines of each other file."""

    manifest: dict[str, Any]
    files: dict[str, list[dict[str, Any]]]


def read_archive(data: bytes) -> ReadArchive:
    """Read a whole archive; every file must be what the manifest says."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        files = {
            name: [json.loads(line) for line in archive.read(name).splitlines()]
            for name in names
            if name != "manifest.json" and not name.startswith("media/")
        }
    assert len(names) == len(set(names))
    assert {name: len(lines) for name, lines in files.items()} == manifest["files"]
    return ReadArchive(manifest, files)
