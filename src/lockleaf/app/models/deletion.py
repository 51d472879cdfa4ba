"""The end of an account."""

from __future__ import annotations

from lockleaf.app.models.base import Answer

__all__ = ["Holdings"]


class Holdings(Answer):
    """What the server deletes with the account, and this device keeps.

    ``files`` counts attached files and thumbnails, ``lost`` those that only the server has and that could not be
    fetched. ``complete``: this device knows what the others wrote. ``holds_journal``: the server has one.
    """

    holds_journal: bool
    entries: int = 0
    files: int = 0
    conflicts: int = 0
    inbox: int = 0
    lost: int = 0
    complete: bool = True
