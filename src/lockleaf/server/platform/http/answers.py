"""Answers that are written at once: head and body in one call of the system, and the head put together in one go.

Uvicorn writes both by themselves, and looks at each name and value of the head with a regular expression, which takes
longer than what most requests ask for.
"""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_lowercase, digits
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

__all__ = ["Answer"]

_COLON = b": "
_CONTROLS = bytes(set(range(0x20)) - {0x09} | {0x7F})
_OF_NAMES = f"{ascii_lowercase}{digits}-".encode()
_OF_CONNECTIONS = frozenset({b"connection", b"transfer-encoding"})
"""Names that say how an answer ends, and whether another one follows."""
_MOST_NAMES = 256
_names: set[bytes] = set()
"""Names that were looked at."""
_JOINED_BYTES = 64 * 1024
"""Of a body that is copied to stand behind its head."""


class Answer(RequestResponseCycle):
    """A request and its answer, as uvicorn has them.

    The head of an answer that tells its length waits for what follows. An answer without a length, such as a live
    stream, may have nothing that follows for a long time: its head goes out at once, and so does whatever else is
    seldom (a name twice, a connection that is to end, the head alone), all of which uvicorn writes.
    """

    _head: bytes | None = None

    async def send(self, message: Any) -> None:
        """Take a part of the answer."""
        head = self._head
        if head is None:
            if self.response_started or not self._keeps(message):
                await super().send(message)
            return
        self._head = None
        body = message.get("body", b"")
        whole = len(body) == self.expected_content_length and not message.get("more_body", False)
        if self.disconnected or self.flow.write_paused or not whole or message["type"] != "http.response.body":
            if not self.disconnected:
                self.transport.write(head)
            await super().send(message)
            return
        if len(body) > _JOINED_BYTES:
            self.transport.writelines((head, body))
        else:
            self.transport.write(head + body)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _keeps(self, message: Any) -> bool:
        """Keep the head that a message tells, unless uvicorn is to write it."""
        headers = [*self.default_headers, *message.get("headers", ())]
        said = dict(headers)
        length = said.get(b"content-length", b"")
        if (
            not length.isdigit()
            or not self.keep_alive
            or self.disconnected
            or self.scope["method"] == "HEAD"
            or len(said) < len(headers)
            or not (said.keys() <= _names or _learn(said))
        ):
            return False
        head = b"%b%b\r\n\r\n" % (STATUS_LINE[message["status"]], b"\r\n".join(map(_COLON.join, headers)))
        # Each line ends once: with any more of such signs, somebody's text would say where it ends.
        if len(head) - len(head.translate(None, _CONTROLS)) != 2 * len(headers) + 4:
            return False
        self._head = head
        self.response_started = True
        # From here on a word to go on with the body would stand in the middle of the answer, or behind it.
        self.waiting_for_100_continue = False
        self.chunked_encoding = False
        self.expected_content_length = int(length)
        return True


def _learn(said: Iterable[bytes]) -> bool:
    """Tell whether names are such as uvicorn takes, and say nothing of the connection; keep them then."""
    if any(name.translate(None, _OF_NAMES) or name in _OF_CONNECTIONS for name in said):
        return False
    if len(_names) < _MOST_NAMES:
        _names.update(said)
    return True
