"""The files of a journal that had no account, sealed anew to an account's key: none of them is at a server yet.

They keep their ids, so that whatever names them still does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any

from lockleaf.client.errors import MediaDamaged
from lockleaf.client.media.attachment_resealing import sealed_again
from lockleaf.client.media.staging_folder import StagingFolder, staging
from lockleaf.client.media.threads import Beat
from lockleaf.client.records.attachments import MediaObject, attachments_of, media_of, sealed_anew
from lockleaf.client.store import LocalStore
from lockleaf.client.store.media_queue import QueuedObject
from lockleaf.crypto.keyring import Keyring

__all__ = ["JournalFiles"]


@dataclass
class JournalFiles:
    """Seals them one by one beside those that are there; blocks.

    Args:
        store: of the journal.
        present, made: the folders of the files as they are, and as they become.
        keyring: the account's.

    Attributes:
        unreadable: ids of files that are not here as they were attached: nobody can open them, before or after.
    """

    store: LocalStore
    present: Path
    made: Path
    keyring: Keyring
    unreadable: set[str] = field(default_factory=set)
    _sealed: dict[str, tuple[MediaObject, QueuedObject]] = field(default_factory=dict)

    def seal(self, beat: Beat) -> None:
        """Seal what is not sealed yet.

        Raises:
            DiskFull: there is no space for it.
        """
        described, source = self._described(), StagingFolder(self.present)
        for row in self._rows():
            named = described.get(row.media_id)
            if not self._is_open(row):
                continue
            try:
                if named is None or not source.of(row.media_id).exists():
                    raise MediaDamaged
                self._seal(row, named, source.of(row.media_id), beat)
            except MediaDamaged:
                self.unreadable.add(row.media_id)

    def take_over(self) -> bool:
        """Have the journal name what was sealed, within the transaction; False where a file came meanwhile."""
        rows = self._rows()
        if any(map(self._is_open, rows)):
            return False
        store = self.store
        for row in rows:
            if row.media_id in self._sealed:
                made = self._sealed[row.media_id][1]
                row = replace(  # noqa: PLW2901
                    row, sealed_size=made.sealed_size, sealed_sha256=made.sealed_sha256, parts=made.parts,
                    recipient=made.recipient,
                )  # fmt: skip
            if row.attachment is not None:
                row = replace(row, attachment=self._renamed({"attachments": [row.attachment]})["attachments"][0])  # noqa: PLW2901
            store.media.put([row])
        for record in list(store.records.entries(deleted=True)):
            assert record.doc is not None
            content = self._renamed(record.doc.content)
            base = None if record.base is None else self._renamed(record.base)
            if (content, base) != (record.doc.content, record.base):
                record.doc, record.base = replace(record.doc, content=content), base
                store.records.put(record)
        for conflict in store.conflicts.in_state("open", "resolved", "closed"):
            if conflict.content is not None:
                store.conflicts.put(replace(conflict, content=self._renamed(conflict.content)))
        store.earlier.rewrite(self._renamed)
        return True

    def _rows(self) -> list[QueuedObject]:
        return self.store.media.in_state("upload", "delete", "deleted", "restore")

    def _is_open(self, row: QueuedObject) -> bool:
        return row.media_id not in self._sealed and row.media_id not in self.unreadable

    def _described(self) -> dict[str, MediaObject]:
        """Return what is said of every object, by whatever says it."""
        store = self.store
        contents: list[tuple[str, Mapping[str, Any] | None]] = []
        for record in store.records.entries(deleted=True):
            assert record.doc is not None
            contents += [(record.record_id, record.base), (record.record_id, record.doc.content)]
        contents += [(text.record_id, text.doc.content) for text in store.earlier.all()]
        contents += [(each.record_id, each.content) for each in store.conflicts.in_state("open", "resolved", "closed")]
        contents += [(row.entry_id, {"attachments": [row.attachment]}) for row in self._rows() if row.attachment]
        return {
            media_object.media_id: media_object
            for entry_id, content in contents
            for _, media_object in media_of(attachments_of(entry_id, content or {}))
        }

    def _seal(self, row: QueuedObject, named: MediaObject, source: Path, beat: Beat) -> None:
        recipient = self.keyring.newest.recipient
        with staging(StagingFolder(self.made)) as begun:
            file = begun.begin(row.media_id)
            made = sealed_again(named, source, self.store.keyring.identities, file, recipient, beat)
        sealed = MediaObject(
            named.media_id, named.media_type, named.size, named.sha256, made.sealed_size, made.sealed_sha256, recipient
        )
        queued = replace(
            row, sealed_size=made.sealed_size, sealed_sha256=made.sealed_sha256, parts=made.parts, recipient=recipient
        )
        self._sealed[row.media_id] = (sealed, queued)

    def _renamed(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return a map that describes the files as they are sealed now."""
        if not content.get("attachments"):
            return dict(content)
        named = (media_object.media_id for _, media_object in media_of(attachments_of("", content)))
        made = (self._sealed[media_id][0] for media_id in named if media_id in self._sealed)
        return reduce(lambda text, each: sealed_anew(text, each.media_id, each), made, dict(content))
