"""The SDK's entries as the page sees them."""

from __future__ import annotations

from collections.abc import Iterable

from lockleaf import client as sdk
from lockleaf.app.models.entries import AttachmentOf, EntryView, Summary
from lockleaf.app.rendering import excerpt, render
from lockleaf.app.shelf import Shelved

__all__ = [
    "SHOWN",
    "addresses",
    "attachment_view",
    "entry_view",
    "in_utf16",
    "summary",
    "summary_of_hit",
    "web_address",
]

SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""What every browser shows and none takes for a program."""


def attachment_view(attachment: sdk.Attachment) -> AttachmentOf:
    """Return an attachment as the page sees it."""
    return AttachmentOf(
        id=attachment.media_id,
        name=attachment.name,
        media_type=attachment.media_type,
        size=attachment.size,
        has_thumbnail=attachment.thumbnail is not None,
        shown=attachment.media_type in SHOWN,
    )


def in_utf16(text: str, marks: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return places of a text, given in code points, in the units in which a browser counts."""
    if text.isascii() or all(ord(character) < 0x10000 for character in text):
        return tuple(marks)
    before = [0]
    for character in text:
        before.append(before[-1] + (2 if ord(character) >= 0x10000 else 1))
    return tuple((before[first], before[last]) for first, last in marks)


def _fields(shelved: Shelved) -> dict[str, object]:
    entry = shelved.entry
    return {
        "id": entry.id,
        "title": entry.title,
        "day": shelved.day.isoformat(),
        "entry_date": entry.date,
        "time_zone": entry.time_zone,
        "mood": entry.mood,
        "tags": entry.tags,
        "words": shelved.words,
        "source": entry.source,
        "attachments": tuple(map(attachment_view, entry.attachments)),
        "conflict": entry.conflict,
        "deleted": entry.deleted,
        "pending": entry.pending,
        "version": entry.version,
    }


def summary(shelved: Shelved) -> Summary:
    """Return an entry of a list."""
    return Summary.model_validate({**_fields(shelved), "excerpt": excerpt(shelved.entry.body)})


def summary_of_hit(hit: sdk.Hit) -> Summary:
    """Return an entry that a search found, with what was found in it."""
    fields = _fields(Shelved.of(hit.entry))
    piece = next((each for each in hit.highlights if each.field == "body"), None)
    if piece is None:
        return Summary.model_validate({**fields, "excerpt": excerpt(hit.entry.body)})
    # One line, as a list has it, with every character in its place.
    text = "".join(" " if character.isspace() else character for character in piece.text)
    return Summary.model_validate({**fields, "excerpt": text, "marks": in_utf16(text, piece.marks)})


def addresses(entry: sdk.Entry) -> dict[str, str]:
    """Return where the page fetches the attachments of an entry, by their names."""
    return {each.name: f"./api/entries/{entry.id}/attachments/{each.media_id}" for each in entry.attachments}


def entry_view(entry: sdk.Entry) -> EntryView:
    """Return a whole entry."""
    return EntryView.model_validate(
        {
            **_fields(Shelved.of(entry)),
            "excerpt": excerpt(entry.body),
            "body": entry.body,
            "html": render(entry.body, addresses(entry)),
            "metrics": dict(entry.metrics),
            "weather": entry.weather,
            "location": entry.location,
            "created_at": entry.created_at,
            "updated_at": entry.updated_at,
            "foreign": entry.foreign is not None,
            "merged": entry.merged,
        }
    )


def web_address(address: str | None) -> str | None:
    """Return an address that a browser may be led to; None for any other, which might be a script."""
    return address if address and address.startswith(("https://", "http://")) else None
