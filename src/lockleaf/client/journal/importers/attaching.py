"""The files of one entry that is read: each attached once, under a name of its own, and named by the text."""

from __future__ import annotations

from functools import partial
from pathlib import PurePosixPath

from lockleaf.client.journal.importers.containers import Container, Member
from lockleaf.client.journal.importers.texts import attachment_link, distinct_name
from lockleaf.client.media.file_names import clean_name
from lockleaf.client.records.entries import IncomingFile

__all__ = ["Attaching"]


class Attaching:
    """Collects what belongs to an entry.

    Args:
        source: where the files lie.
    """

    def __init__(self, source: Container) -> None:
        self._source = source
        self._files: dict[str, IncomingFile] = {}
        self._by_member: dict[str, IncomingFile] = {}
        self._taken: set[str] = set()
        self._absent: list[str] = []

    @property
    def files(self) -> tuple[IncomingFile, ...]:
        """The files, each once."""
        return tuple({file.key: file for file in self._files.values()}.values())

    @property
    def absent(self) -> tuple[str, ...]:
        """What belongs to the entry and is not there."""
        return tuple(dict.fromkeys(self._absent))

    def add(self, key: str, member: Member, name: str | None = None) -> bool:
        """Attach a file; the same one under another key is attached once. False where its name is not valid.

        Args:
            key: by which the text names it.
            name: as it shall be called; else as it is.
        """
        if key in self._files:
            return True
        if (same := self._by_member.get(member.name)) is not None:
            self._files[key] = same
            return True
        last = PurePosixPath(member.name)
        try:
            called = clean_name(name or last.name)
        except ValueError:
            self.miss(f"a file without a name: {last.name!r}")
            return False
        if "." not in called and last.suffix:
            called += last.suffix
        file = IncomingFile(
            distinct_name(called, self._taken), key, member.size, partial(self._source.open, member.name)
        )
        self._files[key] = self._by_member[member.name] = file
        return True

    def link(self, key: str, alt: str = "", *, shown: bool = True) -> str:
        """Return how the text points at a file that was added."""
        return attachment_link(self._files[key].name, alt, shown=shown)

    def miss(self, what: str) -> None:
        """Note what is not there."""
        self._absent.append(what)
