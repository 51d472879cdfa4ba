"""How the processes of a server wake the one that looks after them: by messages of a few bytes."""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import socket
import struct
from dataclasses import dataclass
from typing import ClassVar

__all__ = ["Bell", "JobsQueued", "Leaving", "Signalled", "ring"]

MOST_BYTES = 64


@dataclass(frozen=True, slots=True)
class Signalled:
    """A signal came."""

    KIND: ClassVar = b"s"

    def packed(self) -> bytes:
        """Return it as it travels."""
        return self.KIND


@dataclass(frozen=True, slots=True)
class JobsQueued:
    """There may be jobs in the queue that were not there before."""

    KIND: ClassVar = b"j"

    def packed(self) -> bytes:
        """Return it as it travels."""
        return self.KIND


@dataclass(frozen=True, slots=True)
class Leaving:
    """The process of background work ends since there is nothing to do.

    Attributes:
        looked_at: when it found that, by the monotonic clock, which all processes of a machine share.
        due_in: after how many seconds from then on it is to be there again.
    """

    KIND: ClassVar = b"l"
    _FORM: ClassVar = struct.Struct("!dd")
    looked_at: float
    due_in: float

    def packed(self) -> bytes:
        """Return it as it travels."""
        return self.KIND + self._FORM.pack(self.looked_at, self.due_in)


Message = Signalled | JobsQueued | Leaving


class Bell:
    """Messages to this process, from itself and from those that have the other end.

    Attributes:
        rope: the other end, for `ring`; processes that are started may be given it.
    """

    def __init__(self) -> None:
        self._heard, self.rope = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for each in (self._heard, self.rope):
            each.setblocking(False)

    def wait(self, seconds: float) -> list[Message]:
        """Wait so long for a message; return all that there are."""
        multiprocessing.connection.wait([self._heard], seconds)
        messages: list[Message] = []
        with contextlib.suppress(BlockingIOError):
            while True:
                messages += _read(self._heard.recv(MOST_BYTES))
        return messages

    def close(self) -> None:
        """Let go of both ends."""
        self._heard.close()
        self.rope.close()


def ring(rope: socket.socket, message: Message) -> None:
    """Send a message. It is lost where nobody listens any more, or where so many wait that it tells nothing new."""
    with contextlib.suppress(OSError):
        rope.send(message.packed())


def _read(packed: bytes) -> list[Message]:
    kind, told = packed[:1], packed[1:]
    if kind == Leaving.KIND and len(told) == Leaving._FORM.size:
        return [Leaving(*Leaving._FORM.unpack(told))]
    return [each() for each in (Signalled, JobsQueued) if kind == each.KIND]
