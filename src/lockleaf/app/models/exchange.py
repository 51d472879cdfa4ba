"""What comes in from elsewhere and what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from lockleaf.app.models.base import Answer
from lockleaf.app.models.entries import Narrowed

__all__ = ["Export", "ImportRemark", "Imported", "Inbox", "InboxItem"]


class ImportRemark(Answer):
    """What there is to say of one item of an import."""

    kind: str
    place: str
    reason: str
    entry_id: str | None


class Imported(Answer):
    """What an import did, or with ``dry_run`` would do. ``importer``: the format that was found."""

    added: int
    present: int
    updated: int
    files: int
    importer: str
    dry_run: bool
    complete: bool
    remarks: tuple[ImportRemark, ...]
    more_remarks: int


class Export(Narrowed):
    """Which entries to export, and how."""

    format: Literal["markdown", "json", "html", "dayone"] = "markdown"
    revisions: bool = False


class InboxItem(Answer):
    """Something that arrived for the account. Nobody vouches for who sent it."""

    id: str
    provider: str
    received_at: datetime
    readable: bool
    title: str | None
    body: str
    html: str
    link: str | None
    files: int


class Inbox(Answer):
    """What waits, oldest first."""

    items: tuple[InboxItem, ...]
