"""Under which name a draft is sealed beside the store, and sealing all of them for other keys."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lockleaf.client.errors import StoreDamaged
from lockleaf.client.profile.private_files import make_private_folder, write_private

__all__ = ["SEALED", "draft_place", "seal_drafts_anew"]

SEALED = "sealed"
"""The ending of the file that holds what was typed."""


def draft_place(draft_id: str) -> str:
    """Return the name under which the store seals a draft."""
    return f"draft/{draft_id}"


def seal_drafts_anew(folder: Path, target: Path, seal_anew: Callable[[str, bytes], bytes]) -> None:
    """Seal what was typed in every draft of ``folder`` for other keys, into ``target``. What does not open stays.

    Args:
        seal_anew: takes the name of a file and its sealed bytes, and returns them under the other keys.
    """
    make_private_folder(target)
    for file in folder.glob(f"*.{SEALED}"):
        with suppress(StoreDamaged, FileNotFoundError):
            write_private(target / file.name, seal_anew(draft_place(file.stem), file.read_bytes()))
