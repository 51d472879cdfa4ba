"""The stream of server-sent events, as far as Lockleaf uses it."""

from __future__ import annotations

from pydantic import ValidationError

from lockleaf.client.errors import InvalidAnswer
from lockleaf.wire.sync import Event

__all__ = ["EventParser"]

_MAX_PENDING = 64 * 1024


class EventParser:
    """Takes the bytes of a ``text/event-stream`` as they come and gives the events in them.

    Follows the HTML Standard, section 9.2.6, for the fields used here: ``data`` lines make an event, an empty line
    ends it, comments and other fields are passed over.
    """

    def __init__(self) -> None:
        self._pending = b""
        self._data: list[bytes] = []

    def feed(self, received: bytes) -> list[Event]:
        """Return the events that ``received`` completes.

        Raises:
            InvalidAnswer: an event is not one of Lockleaf's, or does not end.
        """
        # A CR at the end may be the first half of CR LF, so it waits for the next bytes.
        self._pending += received
        kept_back = b"\r" if self._pending.endswith(b"\r") else b""
        text = self._pending[: len(self._pending) - len(kept_back)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._pending = rest + kept_back
        events = [event for line in lines if (event := self._line(line)) is not None]
        if len(self._pending) + sum(map(len, self._data)) > _MAX_PENDING:
            raise InvalidAnswer
        return events

    def _line(self, line: bytes) -> Event | None:
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            return None
        data, self._data = b"\n".join(self._data), []
        if not data:
            return None
        try:
            return Event.model_validate_json(data)
        except ValidationError:
            raise InvalidAnswer from None
