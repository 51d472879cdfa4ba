"""Attachments in the local store: entered, listed, taken off an entry and put back, each in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from lockleaf.client.errors import AttachmentNotFound, EntryNotFound, TooManyAttachments
from lockleaf.client.media.preparation import PreparedAttachment
from lockleaf.client.records.attachments import (
    Attachment,
    MediaObject,
    attachments_of,
    described,
    media_of,
    with_attachments,
    without_attachment,
)
from lockleaf.client.records.beginnings import one_beginning
from lockleaf.client.records.edits import Edits
from lockleaf.client.store import LocalStore
from lockleaf.client.store.media_queue import QueuedObject
from lockleaf.client.store.records import ENTRIES, StoredRecord
from lockleaf.wire.content import MAX_ATTACHMENTS
from lockleaf.wire.days import local_time

__all__ = ["ListedAttachment", "LocalAttachments"]


@dataclass(frozen=True, slots=True)
class ListedAttachment:
    """An attachment, and how it stands with it on this device.

    ``waiting``: the server is still to hear of it. ``refused``: the code with which it refused. ``deleted``: it was
    taken off its entry, and can be restored here.
    """

    attachment: Attachment
    waiting: bool = False
    refused: str | None = None
    deleted: bool = False


class LocalAttachments:
    """Reads and writes attachments of the entries on this device; blocks.

    Args:
        store: the local store.
        edits: by which entries are changed.
    """

    def __init__(self, store: LocalStore, edits: Edits) -> None:
        self._store = store
        self._edits = edits

    def entry_id(self, given: str) -> str:
        """Return the whole id of an entry that can take another attachment.

        Raises:
            EntryNotFound: there is no such entry, or it is deleted.
            TooManyAttachments: it has as many as an entry can have.
        """
        record = self._edits.find(given)
        if record.deleted or record.doc is None:
            raise EntryNotFound
        if len(attachments_of(record.record_id, record.doc.content)) >= MAX_ATTACHMENTS:
            raise TooManyAttachments
        return record.record_id

    def enter(self, draft: PreparedAttachment) -> Attachment:
        """Let an entry have an attachment that was made for it, and the attachment wait for its upload.

        Raises:
            EntryNotFound, TooManyAttachments: as for `entry_id`; the entry may have been changed meanwhile.
            EntryTooLarge: there is no room for it in the entry.
        """
        with self._store.transaction():
            record = self._edits.find(self.entry_id(draft.attachment.entry_id))
            assert record.doc is not None
            self._store.media.put(draft.rows)
            self._edits.keep(record, with_attachments(record.doc.content, [described(draft.attachment)]))
        return draft.attachment

    def listed(self, entry_id: str | None) -> list[ListedAttachment]:
        """Return the attachments of an entry, or of all, newest entry first, in the order in which entries have them.

        Raises:
            EntryNotFound: there is no such entry.
        """
        if entry_id is not None:
            records = [self._edits.find(entry_id)]
        else:
            records = sorted(self._store.records.entries(), key=_local_time, reverse=True)
        found = [
            attachment
            for record in records
            if record.doc is not None
            for attachment in attachments_of(record.record_id, record.doc.content)
        ]
        waiting = {row.media_id: row for row in self._store.media.in_state("upload", "restore")}
        return [_shown(attachment, waiting) for attachment in found]

    def deleted(self) -> list[ListedAttachment]:
        """Return what was taken off entries on this device and can be restored, oldest first."""
        return [
            ListedAttachment(attachment, waiting=row.state == "delete", refused=row.refused, deleted=True)
            for row in self._store.media.in_state("delete", "deleted")
            for attachment in _remembered(row)
            if not row.for_good and self._is_there(row.entry_id)
        ]

    def _is_there(self, entry_id: str) -> bool:
        """Tell whether an entry is not deleted: one that is brings its files back when it is restored."""
        record = self._store.records.get(ENTRIES, entry_id)
        return record is not None and not record.deleted

    def find(self, media_id: str) -> tuple[Attachment, MediaObject]:
        """Return the object of an id, or of its beginning, and its attachment; itself, or that whose thumbnail it is.

        Raises:
            AttachmentNotFound, IdAmbiguous, IdTooShort: there is none, there are several, or it could be any.
        """
        wanted = media_id.strip().lower()
        known = {media_object.media_id: (attachment, media_object) for attachment, media_object in self.media()}
        return known[one_beginning(wanted, known, AttachmentNotFound)]

    def media(self) -> Iterator[tuple[Attachment, MediaObject]]:
        """Yield every object of the entries here, thumbnails included, with the attachment that it belongs to."""
        return media_of(each.attachment for each in self.listed(None))

    def staged(self, media_id: str) -> QueuedObject | None:
        """Return what waits of an object, if its sealed bytes are here."""
        row = self._store.media.get(media_id)
        return row if row is not None and row.state in ("upload", "restore") else None

    def delete(self, media_id: str) -> Attachment:
        """Take an attachment off its entry, and have the server told.

        Raises:
            AttachmentNotFound, IdAmbiguous, IdTooShort: as for `find`.
        """
        with self._store.transaction():
            attachment, _ = self.find(media_id)
            record = self._edits.find(attachment.entry_id)
            assert record.doc is not None
            self._edits.keep(record, without_attachment(record.doc.content, attachment.media_id))
        return attachment

    def delete_for_good(self, media_id: str) -> Attachment:
        """Take an attachment off its entry, or one that was deleted on this device, and let nobody bring it back.

        Raises:
            AttachmentNotFound, IdAmbiguous, IdTooShort: as for `find`.
        """
        with self._store.transaction():
            deleted = {each.attachment.media_id: each.attachment for each in self.deleted()}
            present = {media_object.media_id for _, media_object in self.media()}
            chosen = one_beginning(media_id.strip().lower(), present | deleted.keys(), AttachmentNotFound)
            attachment = self.delete(chosen) if chosen in present else deleted[chosen]
            rows = [self._store.media.get(media_object.media_id) for _, media_object in media_of([attachment])]
            self._store.media.put(
                replace(row, state="delete", attachment=None, for_good=True) for row in rows if row is not None
            )
        return attachment

    def forget_unsent(self, attachment: Attachment) -> list[str]:
        """Forget of what was deleted for good that of which the server never heard; return the ids."""
        with self._store.transaction():
            rows = [self._store.media.get(media_object.media_id) for _, media_object in media_of([attachment])]
            unsent = [row for row in rows if row is not None and row.for_good and not row.announced]
            return [row.media_id for row in unsent if self._store.media.settle(row, None, row.changed_at)]

    def restore(self, media_id: str) -> Attachment:
        """Put an attachment that was deleted on this device back on its entry, and have the server told.

        Raises:
            AttachmentNotFound: this device deleted none of this id, or it is too long ago.
            EntryNotFound: its entry is deleted; restore that first.
        """
        with self._store.transaction():
            deleted = {each.attachment.media_id: each.attachment for each in self.deleted()}
            attachment = deleted[one_beginning(media_id.strip().lower(), deleted, AttachmentNotFound)]
            record = self._edits.find(self.entry_id(attachment.entry_id))
            row = self._store.media.get(attachment.media_id)
            assert record.doc is not None
            assert row is not None
            assert row.attachment is not None
            self._edits.keep(record, with_attachments(record.doc.content, [row.attachment]))
        return attachment


def _local_time(record: StoredRecord) -> datetime:
    content = record.doc.content if record.doc is not None else {}
    created_at = record.doc.created_at if record.doc is not None else ""
    return local_time(content.get("occurred_at"), content.get("time_zone"), created_at)


def _shown(attachment: Attachment, waiting: dict[str, QueuedObject]) -> ListedAttachment:
    rows = [waiting.get(media_object.media_id) for _, media_object in media_of([attachment])]
    refused = next((row.refused for row in rows if row is not None and row.refused), None)
    return ListedAttachment(attachment, waiting=any(rows), refused=refused)


def _remembered(row: QueuedObject) -> Iterator[Attachment]:
    if row.attachment is not None:
        yield from attachments_of(row.entry_id, {"attachments": [row.attachment]})
