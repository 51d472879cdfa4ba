"""Attachments as JSON and as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.terminal import printable, shown_name

__all__ = [
    "attachment_json",
    "attachment_lines",
    "media_json",
    "media_note",
    "media_table",
    "media_view",
    "refusal_lines",
    "report_json",
    "shown_size",
    "viewable",
]

_UNITS = ("bytes", "kB", "MB", "GB")
_VIEWED = re.compile(
    r"\.(png|jpe?g|gif|webp|heic|avif|bmp|tiff?|mp3|m4a|og[ag]|opus|flac|wav|aac|mp4|m4v|mov|webm|mkv|pdf|txt)",
    re.IGNORECASE,
)
"""Endings of files that show or play, and do nothing else when they are opened."""
_REFUSALS = {"quota_exceeded": "not sent: over the quota", "staged_file_lost": "lost before it was sent"}
"""What is said of a file that was refused, by the code."""
_GONE = {
    "staged_file_lost": "What was to be sent of {} is not on this device any more: attach the file again, and delete "
    "this one with lockleaf media delete",
    "not_found": "The server does not have {} any more, so it cannot be brought back",
}
"""What is said of a file of which there is nothing to be kept, by the code."""


def shown_size(size: int) -> str:
    """Return a number of bytes as a person reads it."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{size:,} bytes" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def viewable(media_object: sdk.MediaObject) -> bool:
    """Return whether a file of this name may be opened with whatever program the machine has for it."""
    name = getattr(media_object, "name", "picture.webp")
    return _VIEWED.fullmatch(PurePath(name).suffix) is not None


def media_json(listed: sdk.ListedAttachment) -> dict[str, Any]:
    """Return an attachment as ``--json`` writes it."""
    return {
        "entry_id": listed.attachment.entry_id,
        **attachment_json(listed.attachment),
        "waiting": listed.waiting,
        "refused": listed.refused,
        "deleted": listed.deleted,
    }


def attachment_json(attachment: sdk.Attachment) -> dict[str, Any]:
    """Return an attachment as it stands in the JSON of its entry."""

    return sdk.attachment_document(attachment)


def _state(listed: sdk.ListedAttachment) -> str:
    known = (
        (listed.deleted, "deleted"),
        (bool(listed.refused), _REFUSALS.get(listed.refused or "", f"refused: {printable(listed.refused or '')}")),
        (listed.waiting and not listed.refused and not listed.deleted, "not sent"),
    )
    return ", ".join(word for holds, word in known if holds)


def media_table(listed: Sequence[sdk.ListedAttachment], width: int) -> screen.RenderableType:
    """Return a table of attachments: id, entry, size, type, name, state; names are cut to the width of the screen."""

    table = screen.Table(
        "id", "entry", "size", "type", "name", "", box=screen.box.SIMPLE_HEAD, pad_edge=False, header_style="bold"
    )
    for each in listed:
        attachment = each.attachment
        name = screen.Text(shown_name(attachment.name), no_wrap=True)
        name.truncate(max(12, width - 70), overflow="ellipsis")
        table.add_row(
            attachment.media_id[:8],
            attachment.entry_id[:8],
            screen.Text(shown_size(attachment.size), justify="right"),
            screen.Text(printable(attachment.media_type)[:30]),
            name,
            screen.Text(_state(each), style="yellow"),
        )
    return table


def media_view(listed: sdk.ListedAttachment) -> screen.RenderableType:
    """Return all that is known of an attachment."""

    attachment = listed.attachment
    facts = {
        "name": shown_name(attachment.name),
        "id": attachment.media_id,
        "entry": attachment.entry_id,
        "type": printable(attachment.media_type),
        "size": f"{attachment.size:,} bytes",
        "sha256": attachment.sha256.hex() if attachment.sha256 else "",
        "thumbnail": attachment.thumbnail.media_id if attachment.thumbnail else "",
        "state": _state(listed),
    }
    table = screen.Table.grid(padding=(0, 2))
    for label, value in facts.items():
        if value:
            table.add_row(screen.Text(label, style="dim"), screen.Text(value, overflow="fold"))
    return table


def attachment_lines(listed: Sequence[sdk.ListedAttachment]) -> list[str]:
    """Return the attachments of an entry, one a line, as they stand below its text."""
    return [
        " · ".join(
            part
            for part in (
                shown_name(each.attachment.name),
                shown_size(each.attachment.size),
                _state(each),
                each.attachment.media_id[:8],
            )
            if part
        )
        for each in listed
    ]


def report_json(report: sdk.MediaReport) -> dict[str, Any]:
    """Return what became of attachments that waited, as ``--json`` writes it."""
    return {
        "uploaded": report.uploaded,
        "deleted": report.deleted,
        "restored": report.restored,
        "waiting": report.waiting,
        "refused": [
            {name: value for name, value in asdict(each).items() if value is not None} for each in report.refused
        ],
        "trouble": type(report.trouble).__name__ if report.trouble is not None else None,
    }


def _refused(refusal: sdk.MediaRefusal) -> str:
    which = f"attachment {refusal.media_id[:8]}"
    if refusal.code in _GONE:
        return f"{_GONE[refusal.code].format(which)} ({refusal.code})."
    if refusal.needed is None or refusal.used is None or refusal.limit is None:
        return f"The server refused {which} ({refusal.code}). It is kept here."
    free = max(0, refusal.limit - refusal.used)
    return (
        f"{which.capitalize()} is over your quota ({refusal.code}): it needs {shown_size(refusal.needed)}, and of "
        f"{shown_size(refusal.limit)} there are {shown_size(free)} left. It is kept here, and goes with a later sync. "
        "lockleaf media delete --for-good frees some, also of what lockleaf media --deleted lists."
    )


def refusal_lines(refused: Iterable[sdk.MediaRefusal]) -> list[str]:
    """Return of each refusal what it means, as a sentence."""
    return [_refused(each) for each in refused]


def media_note(report: sdk.MediaReport) -> str | None:
    """Return what became of attachments that waited, for a person; None where there was nothing."""
    done = [
        f"{count:,} {word}"
        for count, word in (
            (report.uploaded, "sent"),
            (report.deleted, "deleted"),
            (report.restored, "restored"),
        )
        if count
    ]
    told = [f"Attachments and thumbnails: {', '.join(done)}."] if done else []
    told += [_refused(each) for each in report.refused]
    waiting = report.waiting - len(report.refused)
    if waiting > 0:
        told.append(f"{waiting:,} still to be sent.")
    if report.trouble is not None:
        told.append(str(report.trouble))
    return " ".join(told) or None
