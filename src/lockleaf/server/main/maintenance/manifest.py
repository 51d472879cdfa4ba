"""What a backup says of itself.

A backup is a folder with a folder of files, and beside it a folder for each time at which it was made:

    20261129T215301Z/manifest.json    this; written last, so that a backup with a manifest is whole
    20261129T215301Z/database.dump    the database, as `pg_dump` writes it (.age where it is encrypted)
    20261129T215301Z/files.jsonl      which attached files belong to it: key, size and SHA-256 of each (.age likewise)
    20261129T215301Z/secrets.json     the server's own secrets, in encrypted backups alone
    files/ab/KEY-SHA256               attached files as the store has them, by the last two digits of their keys

or one file: a tar archive of the same, encrypted as a whole where its name ends in `.age`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from lockleaf.server.main.maintenance.errors import BackupUnreadable

__all__ = ["DATABASE", "FILES", "FORMAT", "MANIFEST", "MOMENT", "SECRETS", "Counts", "Manifest", "Part", "moment_name"]

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.dump"
FILES = "files.jsonl"
SECRETS = "secrets.json"
MOMENT = re.compile(r"\d{8}T\d{6}Z")
"""The name of a backup within its folder: when it was made."""


def moment_name(at: datetime) -> str:
    """Return the name of a backup by its time."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a backup as it is stored, encrypted or not: its size in bytes, and its SHA-256 in hexadecimal."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What the database held.

    Attributes:
        accounts, records, changes: how many.
        heads: SHA-256 over the ends of all histories, in the order of their accounts.
    """

    accounts: int
    records: int
    changes: int
    heads: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        taken_at: the moment of the database's snapshot, RFC 3339.
        version: of Lockleaf.
        schema: the revision of the database's schema.
        server: the version of PostgreSQL.
        installation: the word by which its database knows its own attached files.
        encrypted: whether it is sealed to a recipient of the operator's.
        files, file_bytes: how many attached files belong to it, and what they take.
        with_files: whether they are in it.
        missing: keys of files that the database knows and the store did not have.
        parts: by name.
    """

    taken_at: str
    version: str
    schema: str
    server: str
    installation: str
    counts: Counts
    files: int
    file_bytes: int
    with_files: bool
    encrypted: bool = False
    missing: tuple[str, ...] = ()
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """When it was taken."""
        return datetime.fromisoformat(self.taken_at)

    def written(self) -> bytes:
        """Return it as JSON."""
        return json.dumps({"lockleaf_backup": FORMAT, **asdict(self)}, indent=2).encode() + b"\n"

    @classmethod
    def read(cls, text: bytes) -> Manifest:
        """Return the manifest that ``text`` is.

        Raises:
            BackupUnreadable: it is no manifest, or of a later version.
        """
        try:
            document: dict[str, Any] = json.loads(text)
            form = document.pop("lockleaf_backup")
            if form != FORMAT:
                raise BackupUnreadable(
                    f"The backup has form {form}, and this Lockleaf reads form {FORMAT}. Use the version that made it, "
                    "or a later one."
                )
            document["counts"] = Counts(**document["counts"])
            document["parts"] = {name: Part(**part) for name, part in document["parts"].items()}
            document["missing"] = tuple(document["missing"])
            manifest = cls(**document)
            manifest.moment  # noqa: B018  (an invalid time is refused here)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BackupUnreadable("The manifest of the backup is damaged, so nothing can be told of it.") from None
        return manifest
