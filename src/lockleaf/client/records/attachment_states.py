"""What becomes of files when their entry changes: what it names no more is deleted, what it names again comes back.

The entry decides, on whichever device and by whatever it was changed; here it is only seen to that the server is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lockleaf.client.records.attachments import Attachment, MediaObject, attachments_of, described_in, media_of
from lockleaf.client.store.media_queue import MediaQueue, MediaState, QueuedObject
from lockleaf.client.store.open_conflicts import ConflictStore
from lockleaf.client.store.record_table import Records
from lockleaf.client.store.records import ENTRIES

__all__ = ["follow", "forsake", "reconcile"]

Content = Mapping[str, Any] | None


def follow(media: MediaQueue, entry_id: str, before: Content, after: Content, now: str) -> None:
    """Note what an edit of an entry means for its files; to be called within the transaction of the edit.

    Args:
        before, after: the entry's map; None where there is none, or it is deleted.
        now: the present time, RFC 3339.
    """
    was, is_now = _named(entry_id, before), _named(entry_id, after)
    rows = [
        _gone(media.get(media_id), media_object, entry_id, before, now)
        for media_id, media_object in was.items()
        if media_id not in is_now
    ]
    for media_id, media_object in is_now.items():
        if media_id not in was and (back := _back(media.get(media_id), media_object, entry_id, now)) is not None:
            rows.append(back)
    media.put(rows)


def forsake(
    media: MediaQueue, entry_id: str, sides: tuple[Content, Content, Content], merged: Content, now: str
) -> None:
    """Note which files a merge leaves to nobody; to be called within the transaction of the merge.

    Such are those that the server's version names and the merged one does not, and those that this device alone sealed
    anew where another device had done so before.

    Args:
        sides: the map that both versions follow, this device's, and the server's.
        merged: what they became.
        now: the present time, RFC 3339.
    """
    before, ours, theirs = (_named(entry_id, side) for side in sides)
    is_now = _named(entry_id, merged)
    gone = theirs | {media_id: media_object for media_id, media_object in ours.items() if media_id not in before}
    rows = []
    for media_id, media_object in gone.items():
        row = media.get(media_id)
        if media_id not in is_now and (row is None or row.state in ("upload", "restore")):
            rows.append(_gone(row, media_object, entry_id, sides[2] if media_id in theirs else sides[1], now))
    media.put(rows)


def reconcile(media: MediaQueue, records: Records, conflicts: ConflictStore, now: str) -> None:
    """Bring what waits in line with the entries as they stand now, other devices' edits included.

    What a version names about which its user has still to decide is wanted too.
    """
    changed = []
    undecided = {media_id for each in conflicts.in_state("open") for media_id in _named(each.record_id, each.content)}
    for row in media.in_state("upload", "restore", "delete", "deleted"):
        record = records.get(ENTRIES, row.entry_id)
        content = None if record is None or record.deleted or record.doc is None else record.doc.content
        named = _named(row.entry_id, content).keys() | undecided
        # What is to take another file's place belongs to the entry as long as that one does.
        wanted = row.media_id in named or row.replaces in named
        if wanted and row.state in ("delete", "deleted"):
            changed.append(_in_state(row, _comes_back(row), now))
        elif not wanted and row.state in ("upload", "restore"):
            gone = _in_state(row, _goes(row), now)
            changed.append(replace(gone, for_good=True) if row.replaces is not None else gone)
    media.put(changed)


def _named(entry_id: str, content: Content) -> dict[str, MediaObject]:
    return {
        media_object.media_id: media_object for _, media_object in media_of(attachments_of(entry_id, content or {}))
    }


def _gone(
    row: QueuedObject | None, media_object: MediaObject, entry_id: str, before: Content, now: str
) -> QueuedObject:
    """Return the row of an object that its entry names no more, with what is needed to bring it back."""
    entered = described_in(before or {}, media_object.media_id) if isinstance(media_object, Attachment) else None
    if row is None:
        return replace(_row(media_object, entry_id, "delete", now), attachment=entered)
    return replace(_in_state(row, _goes(row), now), attachment=entered)


def _back(row: QueuedObject | None, media_object: MediaObject, entry_id: str, now: str) -> QueuedObject | None:
    """Return the row of an object that its entry names again; None where it waits for its upload anyway."""
    if row is None:
        return _row(media_object, entry_id, "restore", now)
    return _in_state(row, _comes_back(row), now) if row.state in ("delete", "deleted") else None


def _goes(row: QueuedObject) -> MediaState:
    # Of what the server never heard of it has not to be told.
    return "delete" if row.announced else "deleted"


def _comes_back(row: QueuedObject) -> MediaState:
    return "restore" if row.announced else "upload"


def _in_state(row: QueuedObject, state: MediaState, now: str) -> QueuedObject:
    return replace(row, state=state, refused=None, changed_at=now, for_good=False, after_entry=False)


def _row(media_object: MediaObject, entry_id: str, state: MediaState, now: str) -> QueuedObject:
    """Return the row of an object whose bytes are at the server, if they are anywhere."""
    return QueuedObject(
        media_object.media_id,
        entry_id,
        state,
        now,
        media_object.media_type,
        media_object.sealed_size or 0,
        media_object.sealed_sha256 or b"",
        announced=True,
    )
