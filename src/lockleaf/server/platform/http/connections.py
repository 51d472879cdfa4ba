"""Connections that a client cannot hold for nothing: time-outs of head, body, idleness and answer, and a limit.

Uvicorn waits without end for the head of a request and for its body, so that a thousand half-open requests use up a
process's descriptors. Here each of them has a time, and where connections are at their limit a new one takes the place
of the one that has waited longest without having sent a whole request.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any, Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lockleaf.server.platform.http.answers import Answer
from lockleaf.server.platform.settings import ConnectionSettings, Settings

__all__ = ["BoundedProtocol"]

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 51\r\n\r\n"
    b"Too many connections. Try again in a few seconds.\r\n"
)
_LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


@cache
def _settings() -> ConnectionSettings:
    """Return the limits of this process, from the environment that its parent left it."""
    return Settings().connections


class BoundedProtocol(HttpToolsProtocol):
    """One connection of HTTP/1.1, bounded in time."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.access_log = False  # its lines would tell paths and addresses; here they are not even put together
        self.limits = _settings()
        self._phase: Literal["head", "body", "answer"] = "head"
        self._awaited: Literal["head", "body", "rest"] | None = None
        """What has to be over at `_due`: the head of a request, its body, or the rest after an answer."""
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        """Looks whether something is due. It stays as it is while that moves on, which it does with each request."""
        self._writing: asyncio.TimerHandle | None = None
        self._since = self.loop.time()
        self._received = 0

    # ---- the connection ----

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin the time of the first head, where there are not too many connections."""
        super().connection_made(transport)
        self._since = self.loop.time()
        if len(self.connections) > self.limits.most and not self._displace_another():
            transport.write(_BUSY)
            transport.close()
            return
        self._await("head", self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave no timer behind."""
        self._disarm()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Begin the time of what has come in part: of a head with its first byte, of a body with its head."""
        if self.transport.is_closing():
            return
        if self._awaited == "rest":
            self._awaited = None
            self._since = self.loop.time()
        elif self._phase == "body":
            self._received += len(data)
        super().data_received(data)
        # Most requests come whole, and nothing more of them is awaited.
        if self._awaited is None:
            if self._phase == "head":
                self._await("head", self.limits.head_seconds)
            elif self._phase == "body":
                self._await("body", self.limits.body_seconds)

    # ---- the request ----

    def on_headers_complete(self) -> None:
        """Begin the time of the body."""
        self._awaited = None
        self._phase, self._received, self._since = "body", 0, self.loop.time()
        super().on_headers_complete()
        if self.cycle is not None:
            # Uvicorn has just made it, and knows no other class to make it of.
            self.cycle.__class__ = Answer

    def on_message_complete(self) -> None:
        """End it: from here on the server is at work."""
        self._awaited = None
        self._phase = "answer"
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:
            self._rest()  # it was answered before it was read

    def on_response_complete(self) -> None:
        """Begin to rest, or to answer what came meanwhile; as uvicorn does, but for its own time of rest."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._phase == "answer":
            self._rest()

    def _rest(self) -> None:
        self._phase, self._since = "head", self.loop.time()
        self._await("rest", self.limits.idle_seconds)

    # ---- the answer ----

    def pause_writing(self) -> None:
        """Begin the time in which what was sent has to be read."""
        super().pause_writing()
        if self._writing is None:
            self._writing = self.loop.call_later(self.limits.write_seconds, self.transport.abort)
            self._drop_unread()

    def _drop_unread(self) -> None:
        """Where answers that nobody reads take too much memory, give up those that have waited longest."""
        unread = [
            each
            for each in self.connections
            if isinstance(each, BoundedProtocol) and each._writing is not None and not each.transport.is_closing()
        ]
        total = sum(each.transport.get_write_buffer_size() for each in unread)
        # The time at which each would be given up anyway tells for how long it has waited.
        for each in sorted(unread, key=lambda one: one._writing.when() if one._writing is not None else 0.0):
            if total <= self.limits.unread_bytes or each is self:
                return
            total -= each.transport.get_write_buffer_size()
            each.transport.abort()

    def resume_writing(self) -> None:
        """End it."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        if self.flow is not None:
            super().resume_writing()

    # ---- time ----

    def _await(self, what: Literal["head", "body", "rest"], seconds: float) -> None:
        self._awaited, self._due = what, self.loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._due:
            self._disarm()
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._look)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """End what is due; look again when it will be."""
        self._timer = None
        left = self._due - self.loop.time()
        if self._awaited is None:
            return
        if left > 0:
            self._timer = self.loop.call_later(left, self._look)
            return
        match self._awaited:
            case "head":
                self._end(_LATE)
            case "body":
                self._body_is_late()
            case "rest":
                self._end()

    def _body_is_late(self) -> None:
        """End a request whose body comes more slowly than anybody sends; look again later otherwise."""
        enough = self._received >= self.limits.body_seconds * self.limits.body_bytes_per_second
        # Where reading is paused it is the server that is slow.
        if not enough and not self.flow.read_paused:
            self._end(b"" if self.cycle is not None and self.cycle.response_started else _LATE)
            return
        self._received = 0
        self._await("body", self.limits.body_seconds)

    def _end(self, last_words: bytes = b"") -> None:
        self._disarm()
        if not self.transport.is_closing():
            if last_words:
                self.transport.write(last_words)
            self.transport.close()

    # ---- space ----

    @property
    def _is_waiting(self) -> bool:
        """Whether no request of it is being worked on."""
        return self._phase == "head" and (self.cycle is None or self.cycle.response_complete)

    def _displace_another(self) -> bool:
        """Close the connection that has waited longest without a whole request; tell whether there was one."""
        others = [
            each
            for each in self.connections
            if isinstance(each, BoundedProtocol) and each is not self and not each.transport.is_closing()
        ]
        waiting = [each for each in others if each._is_waiting] or [each for each in others if each._phase == "body"]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda each: each._since)
        oldest._disarm()
        oldest.transport.abort()
        return True
