"""What is fuzzed: a parser, what it may refuse with, and what it is begun with."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType

__all__ = ["CORPUS", "PATIENCE", "Hung", "Target", "within"]

CORPUS = Path(__file__).parent / "corpus"
PATIENCE = 20
"""Seconds after which a parser hangs: each is done in milliseconds, on a busy machine too."""


class Hung(BaseException):
    """A parser did not come to an end. No parser's own ``except Exception`` takes it."""


@contextmanager
def within(seconds: int = PATIENCE) -> Iterator[None]:
    """Raise `Hung` where the block does not end in time; nothing is watched outside of the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Target:
    """A parser of untrusted bytes.

    Args:
        name: what it is called, and the folder of its corpus.
        parse: takes the bytes; whatever it raises beside ``refusals`` is a fault.
        refusals: what its documentation says that it raises.
        begin: gives inputs that are right, from which others are made.
        long: whether an input takes milliseconds, so that fewer are tried.
    """

    name: str
    parse: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    begin: Callable[[], Iterable[bytes]] = field(repr=False)
    long: bool = False

    @cached_property
    def seeds(self) -> tuple[bytes, ...]:
        """Inputs that are right, and those that were found to lead elsewhere."""
        return (*self.begin(), *self.corpus())

    def corpus(self) -> tuple[bytes, ...]:
        """Return the inputs that are kept, in the order of their names."""
        folder = CORPUS / self.name
        return tuple(path.read_bytes() for path in sorted(folder.iterdir())) if folder.is_dir() else ()

    def feed(self, data: bytes) -> bool:
        """Return whether the parser takes ``data``; what it does not refuse by name goes on to whoever called."""
        try:
            with within():
                self.parse(data)
        except self.refusals:
            return False
        return True
