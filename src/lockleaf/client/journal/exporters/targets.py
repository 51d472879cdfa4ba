"""Where an export goes: a folder or a ZIP file, which take files by their paths, each whole or not at all."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Literal, Protocol, Self

__all__ = ["Left", "Placed", "Target"]


@dataclass(frozen=True, slots=True)
class Left:
    """A file of somebody else that was left as it is, and so is not what the export would have there.

    Attributes:
        path: below the folder of the export.
        kind: ``foreign``: no export made it. ``edited``: it was changed since an export made it. ``kept``: likewise,
            and the export has no such file any more.
    """

    path: str
    kind: Literal["foreign", "edited", "kept"]


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of the files: how many were written, were there already, were taken away; and what was left."""

    written: int
    unchanged: int = 0
    removed: int = 0
    left: tuple[Left, ...] = ()


class Target(Protocol):
    """Takes the files of one export; blocks. Files that are not finished have no name, and are gone after an error."""

    def __enter__(self) -> Self:
        """Begin, or go on where an export was interrupted."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; what was placed stays."""

    def has(self, path: str, digest: bytes | None) -> bool:
        """Take a file that is there already and has this SHA-256 as placed; tell whether it is so."""

    def place(self, path: str, data: bytes) -> None:
        """Place a small file."""

    def file(self, path: str, *, packed: bool = True) -> AbstractContextManager[IO[bytes]]:
        """Give a file to write to, which is placed when the ``with`` ends well.

        Args:
            packed: whether it is worth compressing.
        """

    def unnamed(self) -> AbstractContextManager[IO[bytes]]:
        """Give a file for bytes whose path is not known yet; it is gone afterwards, and nobody else opens it."""

    def keep(self, folder: str) -> None:
        """Leave what an earlier export has in a folder: what should be there now could not all be had."""

    def finish(self) -> Placed:
        """Take away what is not part of the export any more, and say what was done."""
