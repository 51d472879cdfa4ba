"""Files of an entry."""

from __future__ import annotations

from lockleaf.app.models.entries import AttachmentOf

__all__ = ["Attached"]


class Attached(AttachmentOf):
    """A file that was attached, or taken off, and the version that its entry has now."""

    entry_id: str
    version: str | None
