"""Fresh keys, and what they seal anew."""

from __future__ import annotations

from lockleaf.app.models.account import Password, Secret
from lockleaf.app.models.base import Answer

__all__ = ["Keys", "Rotate", "SealedFiles"]


class Keys(Answer):
    """How it stands with the last change of keys.

    ``sealed_again``: the server serves nothing under older ones. ``files_unfinished``: attached files were to be sealed
    anew, and may not all be.
    """

    sealed_again: bool
    files_unfinished: bool


class Rotate(Password):
    """Fresh keys. ``new_password``: None keeps the present one. ``files``: attached files are sealed anew as well."""

    new_password: Secret | None = None
    files: bool = False
    allow_weak_password: bool = False


class SealedFiles(Answer):
    """How many files and thumbnails were sealed anew, are left, and cannot be had from the server as they were."""

    sealed: int
    left: int
    missing: int
