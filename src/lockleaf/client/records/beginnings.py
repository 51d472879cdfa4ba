"""What is asked for by the beginning of its id: found, not there, or one of several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lockleaf.client.errors import IdAmbiguous, IdTooShort

__all__ = ["MIN_PREFIX", "one_beginning"]

MIN_PREFIX = 4
"""Characters of an id that are enough to ask by, if they fit one thing."""
_SHOWN = 8
_MOST = 6


def one_beginning(given: str, ids: Iterable[str], missing: Callable[[], Exception]) -> str:
    """Return the one of ``ids`` that is ``given`` or begins with it.

    Args:
        given: in lower case, without white space around it.
        ids: those that there are; what does not fit is passed over.
        missing: makes the error for where there is none.

    Raises:
        IdAmbiguous: several begin so; it names them.
        IdTooShort: it is too short to be the beginning of one.
    """
    fitting = sorted({each for each in ids if each.startswith(given)})
    if given in fitting:
        return given
    if not given or not fitting:
        raise missing()
    if len(given) < MIN_PREFIX:
        raise IdTooShort
    if len(fitting) > 1:
        raise IdAmbiguous(tuple(_told_apart(fitting[:_MOST])))
    return fitting[0]


def _told_apart(ids: list[str]) -> Iterator[str]:
    """Give as much of each id as tells it from the others."""
    length = _SHOWN
    while len({each[:length] for each in ids}) < len(ids):
        length += 1
    return (each[:length] for each in ids)
