"""Attachments as the map of an entry names them (PROTOCOL section 3): what they are, and what their bytes must be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from uuid import UUID

__all__ = [
    "Attachment",
    "MediaObject",
    "attachments_of",
    "described",
    "described_in",
    "descriptions",
    "media_of",
    "sealed_anew",
    "with_attachments",
    "without_attachment",
]

FIELD = "attachments"
_DIGEST = 32
_LARGEST = 2**53


@dataclass(frozen=True, slots=True)
class MediaObject:
    """One file at the object store.

    Attributes:
        media_id: its UUID as lower-case text.
        media_type: such as ``image/jpeg``, as whoever attached it said.
        size, sha256: of the plain bytes.
        sealed_size, sealed_sha256: of the age file that the store holds. None in entries of programs that do not say.
        recipient: to which the age file is sealed; None where that is not said either.
    """

    media_id: str
    media_type: str
    size: int
    sha256: bytes | None
    sealed_size: int | None
    sealed_sha256: bytes | None
    recipient: str | None


@dataclass(frozen=True, slots=True)
class Attachment(MediaObject):
    """A file that belongs to an entry.

    Attributes:
        name: as whoever attached it called it: to be shown, never to be used as a path.
        entry_id: of its entry.
        thumbnail: a small picture of it, sealed like itself.
    """

    name: str
    entry_id: str
    thumbnail: MediaObject | None = None


def attachments_of(entry_id: str, content: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """Return the attachments that an entry's map names; what is malformed in it is left out."""
    listed = content.get(FIELD)
    found = (_attachment(entry_id, each) for each in listed) if isinstance(listed, list) else ()
    return tuple(each for each in found if each is not None)


def described(attachment: Attachment) -> dict[str, Any]:
    """Return an attachment as it stands in the map of its entry."""
    fields = {"media_id": attachment.media_id, "name": attachment.name, **_fields(attachment)}
    if attachment.thumbnail is not None:
        fields["thumbnail"] = {"media_id": attachment.thumbnail.media_id, **_fields(attachment.thumbnail)}
    return fields


def with_attachments(content: Mapping[str, Any], added: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an entry's map with ``added`` descriptions behind those that are there, each object once."""
    listed = _listed(content)
    present = {each.get("media_id") for each in listed if isinstance(each, dict)}
    listed = [*listed, *(dict(each) for each in added if each["media_id"] not in present)]
    return {**content, FIELD: listed} if listed else dict(content)


def without_attachment(content: Mapping[str, Any], media_id: str) -> dict[str, Any]:
    """Return an entry's map without an attachment."""
    kept = [each for each in _listed(content) if not _is(each, media_id)]
    changed = {name: value for name, value in content.items() if name != FIELD}
    return changed | {FIELD: kept} if kept else changed


def sealed_anew(content: Mapping[str, Any], media_id: str, media_object: MediaObject) -> dict[str, Any]:
    """Return an entry's map with ``media_object`` in place of the attachment or thumbnail that was ``media_id``.

    Its name, and what other programs wrote beside it, stay.
    """

    def replaced(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if _is(value, media_id):
            return value | {"media_id": media_object.media_id, **_fields(media_object)}
        return value | {"thumbnail": replaced(value["thumbnail"])} if "thumbnail" in value else value

    return {**content, FIELD: [replaced(each) for each in _listed(content)]}


def described_in(content: Mapping[str, Any], media_id: str) -> dict[str, Any] | None:
    """Return an attachment as an entry's map describes it, with what other programs wrote there; None without it."""
    return next((each for each in _listed(content) if _is(each, media_id)), None)


def descriptions(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all attachments as an entry's map describes them."""
    return [each for each in _listed(content) if isinstance(each, dict) and isinstance(each.get("media_id"), str)]


def _is(value: Any, media_id: str) -> bool:
    return isinstance(value, dict) and value.get("media_id") == media_id


def _listed(content: Mapping[str, Any]) -> list[Any]:
    listed = content.get(FIELD)
    return listed if isinstance(listed, list) else []


def _fields(media_object: MediaObject) -> dict[str, Any]:
    known = {
        "media_type": media_object.media_type,
        "size": media_object.size,
        "sha256": media_object.sha256,
        "sealed_size": media_object.sealed_size,
        "sealed_sha256": media_object.sealed_sha256,
        "recipient": media_object.recipient,
    }
    return {name: value for name, value in known.items() if value is not None}


def _attachment(entry_id: str, value: Any) -> Attachment | None:
    media_object = _medium(value)
    if media_object is None or not isinstance(value.get("name"), str):
        return None
    return Attachment(
        *media_object, name=value["name"], entry_id=entry_id, thumbnail=_thumbnail(value.get("thumbnail"))
    )


def _thumbnail(value: Any) -> MediaObject | None:
    media_object = _medium(value)
    return None if media_object is None else MediaObject(*media_object)


_Fields = tuple[str, str, int, bytes | None, int | None, bytes | None, str | None]


def _medium(value: Any) -> _Fields | None:
    """Return the fields of an object, None where they are invalid."""
    if not isinstance(value, dict):
        return None
    try:
        media_id = str(UUID(value["media_id"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    media_type, size = value.get("media_type"), value.get("size")
    if not isinstance(media_type, str) or not _is_size(size):
        return None
    sealed_size, recipient = value.get("sealed_size"), value.get("recipient")
    return (
        media_id,
        media_type,
        size,
        _digest(value.get("sha256")),
        sealed_size if _is_size(sealed_size) else None,
        _digest(value.get("sealed_sha256")),
        recipient if isinstance(recipient, str) else None,
    )


def _is_size(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def _digest(value: Any) -> bytes | None:
    return value if isinstance(value, bytes) and len(value) == _DIGEST else None


def media_of(attachments: Iterable[Attachment]) -> Iterator[tuple[Attachment, MediaObject]]:
    """Yield every object of ``attachments``, thumbnails included, each with the attachment that it belongs to."""
    for attachment in attachments:
        yield attachment, attachment
        if attachment.thumbnail is not None:
            yield attachment, attachment.thumbnail
