"""What an export says of itself, beside its files: which are its own, and what they were when it wrote them.

By this alone the next export knows what it may replace and take away. It holds no time, so that it changes only where
the export does, and stands well in a folder under version control.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from lockleaf.client.search.selection import Selection

__all__ = ["FOLDER", "MANIFEST", "Identity", "Manifest"]

FOLDER = ".lockleaf-export"
MANIFEST = f"{FOLDER}/manifest.json"

_FORMAT = "lockleaf-export"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose export it is and of what: an export goes on with another one only if these are the same.

    Attributes:
        journal: names the account, without telling its id.
        form: such as ``markdown``.
        wanted: the filters, those that were given.
    """

    journal: str
    form: str
    wanted: Mapping[str, str] = field(default_factory=dict, hash=False)
    revisions: bool = False
    deleted: bool = False

    @classmethod
    def of(cls, user_id: str, form: str, wanted: Selection, *, revisions: bool, deleted: bool) -> Identity:
        """Return the identity of an export of an account's entries."""
        digest = sha256(b"lockleaf/export/" + user_id.encode()).hexdigest()[:32]
        names = ("since", "until", "tag", "mood", "source")
        given = {name: value for name in names if (value := getattr(wanted, name)) is not None}
        return cls(digest, form, given, revisions, deleted)

    def document(self) -> dict[str, Any]:
        """Return it as it stands in a manifest."""
        return {
            "journal": self.journal,
            "as": self.form,
            "wanted": dict(self.wanted),
            "revisions": self.revisions,
            "deleted": self.deleted,
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """The identity of an export as it is written, and the SHA-256 of each of its files by path."""

    identity: Mapping[str, Any]
    files: Mapping[str, str]

    def packed(self) -> bytes:
        """Return it as JSON, a file a line, by path."""
        head = json.dumps({"format": _FORMAT, "version": _VERSION, **self.identity}, ensure_ascii=False)
        lines = [f'{json.dumps(path, ensure_ascii=False)}: "{self.files[path]}"' for path in sorted(self.files)]
        return (head[:-1] + ', "files": {\n' + ",\n".join(lines) + "\n}}\n").encode()

    @classmethod
    def unpack(cls, data: bytes) -> Manifest | None:
        """Return the manifest in ``data``; None where it is something else, or of a newer form."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict) or (value.get("format"), value.get("version")) != (_FORMAT, _VERSION):
            return None
        files = value.get("files")
        if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
            return None
        identity = {name: each for name, each in value.items() if name not in ("format", "version", "files")}
        return cls(identity, {path: digest for path, digest in files.items() if _is_below(path)})


def _is_below(path: str) -> bool:
    """Tell whether a path stays in the folder: an altered manifest shall not have files elsewhere deleted."""
    parts = path.split("/")
    return bool(path) and "\\" not in path and "\0" not in path and not any(part in ("", ".", "..") for part in parts)
