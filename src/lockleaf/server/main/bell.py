"""How the processes of a server wake the one that looks after them: by messages of a few bytes."""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import socket
import struct
from dataclasses import dataclass
from enum import Enum

__all__ = ["Bell", "Leaving", "Message", "News", "ring"]

MOST_BYTES = 64


class News(Enum):
    """What is said in a word, by the byte that it travels as."""

    SIGNALLED = b"s"
    """A signal came."""
    JOBS_QUEUED = b"j"
    """There may be jobs in the queue that were not there before."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The process of background work ends since there is nothing to do.

    Attributes:
        looked_at: when it found that, by the monotonic clock, which all processes of a machine share.
        due_in: after how many seconds from then on it is to be there again.
    """

    looked_at: float
    due_in: float


Message = News | Leaving
_LEAVING = struct.Struct("!dd")


class Bell:
    """Messages to this process, from itself and from those that have the other end.

    Attributes:
        rope: the other end, for `ring`; processes that are started may be given it.
    """

    def __init__(self) -> None:
        self._heard, self.rope = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for each in (self._heard, self.rope):
            each.setblocking(False)

    def wait(self, seconds: float, *others: int) -> list[Message]:
        """Wait so long for a message, or until one of the other descriptors can be read; return all that there are."""
        multiprocessing.connection.wait([self._heard, *others], seconds)
        heard: list[Message | None] = []
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.append(_read(self._heard.recv(MOST_BYTES)))
        return [message for message in heard if message is not None]

    def close(self) -> None:
        """Let go of both ends."""
        self._heard.close()
        self.rope.close()


def ring(rope: socket.socket, message: Message) -> None:
    """Send a message. It is lost where nobody listens any more, or where so many wait that it tells nothing new."""
    with contextlib.suppress(OSError):
        told = message.value if isinstance(message, News) else _LEAVING.pack(message.looked_at, message.due_in)
        rope.send(told)


def _read(told: bytes) -> Message | None:
    if len(told) == _LEAVING.size:
        return Leaving(*_LEAVING.unpack(told))
    with contextlib.suppress(ValueError):
        return News(told)
    return None
