"""Which readers of journals there are: those of this package, and those that other distributions add."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from lockleaf.client.errors import ImportRefused
from lockleaf.client.journal.importers.containers import Container, FileContainer, shown_name
from lockleaf.client.journal.importers.protocol import Importer

__all__ = ["GROUP", "importer_for", "importer_names"]

GROUP = "lockleaf.importers"
_FIRST = "lockleaf"
"""What this package wrote is known by its first words, and asked before others look at its shape."""
_LAST = ("markdown", "text", "csv", "jsonl")
"""Those that recognise a shape and no program: they are asked when no other knew the source."""

_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".jex", ".7z", ".rar")


@cache
def _found() -> dict[str, Importer]:
    """Return all readers by name, in the order in which they are asked."""
    loaded: dict[str, Importer] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        reader = point.load()
        loaded[point.name] = reader() if isinstance(reader, type) else reader
    return dict(sorted(loaded.items(), key=lambda each: _turn(each[0])))


def _turn(name: str) -> int:
    if name == _FIRST:
        return -2
    return _LAST.index(name) if name in _LAST else -1


def importer_names() -> tuple[str, ...]:
    """Return the names by which readers can be chosen."""
    return tuple(sorted(_found()))


def importer_for(source: Container, name: str | None = None) -> Importer:
    """Return the reader of a source: the one of a name, or the first that recognises it.

    Raises:
        ImportRefused: there is none.
    """
    readers = _found()
    if name is not None:
        if name not in readers:
            raise ImportRefused(f"There is no format {name}. There are {', '.join(importer_names())}.")
        return readers[name]
    for reader in readers.values():
        if reader.recognises(source):
            return reader
    within = [] if isinstance(source, FileContainer) else [each.name for each in source.members]
    if archives := [name for name in within if name.lower().endswith(_ARCHIVES)]:
        raise ImportRefused(f"It holds archives, such as {shown_name(archives[0])}. Import each of them by itself.")
    raise ImportRefused(
        f"This is no journal that is known here. If it is one, say of which kind: {', '.join(importer_names())}."
    )
