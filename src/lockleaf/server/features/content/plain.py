"""Between the plain fields of a thin client and the map that is sealed, for uce accounts."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from lockleaf.server.features.content.common_fields import common_fields
from lockleaf.server.identity.custody.keyrings import ContentUnreadable, OpenKeyring
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.records.diary import CurrentRecord
from lockleaf.server.records.errors import PayloadTooLarge
from lockleaf.wire.codec import pack
from lockleaf.wire.content import MAX_CONTENT_BYTES, labelled
from lockleaf.wire.entries import Attachment, Medium, PlainChange, PlainCreation, PlainEntry
from lockleaf.wire.sync import Record

__all__ = [
    "applied",
    "check_size",
    "check_something",
    "entry",
    "labels_of",
    "same",
    "shown",
]

MAX_LABELS = 64
SEEN = "seen"
"""The head that a client's device had verified. It is its word, so it goes when the server seals the entry anew."""

_OF_WRITING = dict.fromkeys((SEEN, "device", "written_at"))

# What the fields of a body are called in the sealed map.
_SEALED_AS = {
    "content": "body",
    "title": "title",
    "mood": "mood",
    "weather": "weather",
    "location": "location",
    "tags": "tags",
    "source": "source",
    "occurred_at": "occurred_at",
    "time_zone": "time_zone",
    "attachments": "attachments",
}

_OTHERWISE = ("title", "mood", "tags", "attachments")
"""What an entry may consist of without a text."""


def applied(content: dict[str, Any], body: PlainCreation | PlainChange) -> dict[str, Any]:
    """Return an entry's map with the fields that ``body`` names; all others stay, unknown ones too."""
    changed = {name: value for name, value in content.items() if name != SEEN}
    for field in _SEALED_AS.keys() & body.model_fields_set:
        name, value = _SEALED_AS[field], getattr(body, field)
        if value in (None, ()):
            changed.pop(name, None)
        elif field == "attachments":
            changed[name] = [_described(each) for each in body.attachments or ()]
        else:
            changed[name] = list(value) if field == "tags" else value
    changed.setdefault("body", "")
    return changed


def _described(file: Medium) -> dict[str, Any]:
    """Return an attached file as it stands in the map."""
    fields = {**file.model_dump(exclude_none=True, exclude={"thumbnail"}), "media_id": str(file.media_id)}
    small = file.thumbnail if isinstance(file, Attachment) else None
    return fields if small is None else {**fields, "thumbnail": _described(small)}


def check_something(content: dict[str, Any]) -> None:
    """Check that an entry holds something.

    Raises:
        InvalidRequest: it does not.
    """
    body = content.get("body")
    if not (isinstance(body, str) and body.strip()) and not any(map(content.get, _OTHERWISE)):
        raise InvalidRequest(errors=[{"field": "content", "type": "value_error", "message": "the entry is empty"}])


def check_size(content: dict[str, Any]) -> None:
    """Check that a map can be sealed.

    Raises:
        PayloadTooLarge: there is more in it than a record may hold.
    """
    if len(pack(content)) > MAX_CONTENT_BYTES:
        raise PayloadTooLarge


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two maps say the same, whoever sealed them, and when, and had seen what."""
    return {**one, **_OF_WRITING} == {**other, **_OF_WRITING}


def labels_of(keys: OpenKeyring, content: dict[str, Any]) -> tuple[bytes, ...]:
    """Return the labels of an entry's mood, tags and source, sorted, as a client makes them."""
    return tuple(sorted({keys.label(kind, value) for kind, value in labelled(content)})[:MAX_LABELS])


_DIGEST = 32


def shown(keys: OpenKeyring, current: CurrentRecord) -> PlainEntry:
    """Return an entry as it travels; one that does not open says so, and has no fields."""
    record = current.record
    source = current.last if record.deleted else record
    unreadable = False
    content: dict[str, Any] = {}
    if source is not None and not source.deleted:
        try:
            content = keys.open(source)
        except ContentUnreadable:
            unreadable = True
    return entry(record, content, unreadable=unreadable)


def entry(record: Record, content: dict[str, Any], *, unreadable: bool = False) -> PlainEntry:
    """Return a record and the map that is sealed in it as it travels."""
    tags, mark = content.get("tags"), content.get("imported")
    return PlainEntry(
        **common_fields(record),
        source=_text(content.get("source")) or record.source,
        content=_text(content.get("body")),
        title=_text(content.get("title")),
        mood=_text(content.get("mood")),
        weather=_text(content.get("weather")),
        location=_text(content.get("location")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        occurred_at=_text(content.get("occurred_at")) or record.occurred_at,
        time_zone=_text(content.get("time_zone")),
        attachments=_attachments(content.get("attachments")),
        unreadable=unreadable,
        imported=mark if isinstance(mark, bytes) and len(mark) == _DIGEST else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _attachments(value: object) -> tuple[Attachment, ...]:
    found = []
    for each in value if isinstance(value, list) else ():
        try:
            found.append(Attachment.model_validate(each))
        except ValidationError:
            continue  # of another program: it stays in the map
    return tuple(found)
