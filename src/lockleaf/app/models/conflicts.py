"""Versions of an entry that did not merge."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from lockleaf.app.models.base import Answer, Body
from lockleaf.app.models.entries import EntryView, Short, Text

__all__ = ["ConflictList", "ConflictView", "Resolve"]


class ConflictView(Answer):
    """Two versions that wait for a choice.

    Attributes:
        local: what could not be merged; None: a deletion.
        remote: the entry as it stands; None: it is not there.
        authentic: false where a retired key sealed it, so that a lost device can have made it up.
        differences: from ``remote`` to ``local``, line by line.
    """

    id: str
    entry_id: str
    local: EntryView | None
    remote: EntryView | None
    device: str
    own: bool
    detected_at: datetime
    authentic: bool
    differences: tuple[tuple[str, str], ...]


class ConflictList(Answer):
    """What waits, oldest first."""

    conflicts: tuple[ConflictView, ...]


class Resolve(Body):
    """A choice. ``base``: the version of ``remote`` that whoever chooses saw."""

    choice: Literal["local", "remote", "merged"]
    base: Short | None = None
    body: Text | None = None
    title: Short | None = None
