"""Exports as somebody reads them who has the files alone."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from lockleaf.client.journal.exporters.front_matter import split

__all__ = ["contents", "front_and_text", "read_journal"]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def front_and_text(file: bytes) -> tuple[dict[str, Any], str]:
    """The front matter of a Markdown file, as any YAML reads it, and the text of the entry."""
    text = file.decode()
    assert text.startswith("---\n")
    front, _, rest = text.removeprefix("---\n").partition("\n---\n")
    fields = yaml.safe_load(front)
    assert isinstance(fields, dict)
    attachments = fields.get("attachments", [])
    return fields, split(rest, linked=any("file" in each and not each.get("in_text") for each in attachments))


def read_journal(data: bytes, folder: Path | None = None) -> list[dict[str, Any]]:
    """The entries of ``journal.json``; with a folder, each attachment's file there must be what its digest says."""
    journal = json.loads(data)
    assert (journal["format"], journal["version"]) == ("lockleaf-journal", 1)
    for entry in journal["entries"] if folder is not None else ():
        for each in entry["attachments"]:
            if each["file"] is not None:
                assert folder is not None
                assert sha256((folder / each["file"]).read_bytes()).hexdigest() == each["sha256"]
    entries: list[dict[str, Any]] = journal["entries"]
    return entries
