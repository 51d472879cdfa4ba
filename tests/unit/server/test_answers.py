"""What is written of an answer is what uvicorn would write, whatever its route says."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from lockleaf.server.platform.http.answers import Answer

DATE = (b"date", b"Mon, 30 Nov 2026 22:00:00 GMT")
Headers = list[tuple[bytes, bytes]]
Told = tuple[bytes, bool, str, int]
"""What was written, whether the connection was closed, what was raised, and how often the end was told."""


class Kept(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def told(
    kind: type[RequestResponseCycle], method: str, keep_alive: bool, messages: list[dict[str, Any]], *, asks: int = -1
) -> Told:
    """Answer a request, whose body waits until it is asked for, by messages of ASGI; ask for it after one of them."""
    transport, ends, raised = Kept(), [], ""
    answer = kind(
        {"method": method, "type": "http"},  # type: ignore[typeddict-item]
        transport,
        FlowControl(transport),
        logging.getLogger("nobody"),
        logging.getLogger("nobody"),
        access_log=False,
        default_headers=[DATE],
        message_event=asyncio.Event(),
        expect_100_continue=True,
        keep_alive=keep_alive,
        on_response=lambda: ends.append(1),
    )

    async def send() -> None:
        for number, message in enumerate(messages):
            await answer.send(message)  # type: ignore[arg-type]
            if number == asks:
                answer.message_event.set()
                await answer.receive()

    try:
        asyncio.run(send())
    except RuntimeError as error:
        raised = str(error)
    return transport.written, transport.closed, raised, len(ends)


names = st.sampled_from([b"content-type", b"x-request-id", b"etag", b"vary", b"connection", b"Retry-After", b"a b"])
values = st.sampled_from([b"1", b"", b"close", b"keep-alive", b"a\tb", "é".encode("latin-1"), b"a\r\nb: c", b"a\x00"])
lengths = st.sampled_from([b"0", b"3", b"5"])
bodies = st.lists(st.sampled_from([b"", b"abc", b"ab"]), min_size=1, max_size=3)


@given(
    st.sampled_from(["GET", "HEAD"]),
    st.booleans(),
    st.sampled_from([200, 204, 304, 404]),
    st.lists(st.tuples(names, values), max_size=4),
    st.lists(lengths, max_size=2),
    bodies,
    st.integers(-1, 3),
)
@example("GET", True, 200, [(b"content-type", b"text/plain")], [b"3"], [b"abc"], -1)
@example("GET", True, 200, [(b"x-request-id", b"a\r\nset-cookie: b")], [b"3"], [b"abc"], -1)
@example("GET", True, 200, [(b"transfer-encoding", b"chunked")], [], [b"abc", b""], -1)
@example("GET", True, 413, [(b"content-type", b"text/plain")], [b"3"], [b"abc"], 0)
@example("GET", True, 413, [(b"content-type", b"text/plain")], [b"3"], [b"abc"], 1)
def test_answers_are_those_of_uvicorn(
    method: str, keep_alive: bool, status: int, headers: Headers, said: list[bytes], parts: list[bytes], asks: int
) -> None:
    messages: list[dict[str, Any]] = [
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, *((b"content-length", each) for each in said)],
        },
        *({"type": "http.response.body", "body": each, "more_body": True} for each in parts[:-1]),
        {"type": "http.response.body", "body": parts[-1]},
    ]
    mine, its = (told(kind, method, keep_alive, messages, asks=asks) for kind in (Answer, RequestResponseCycle))
    if its[2]:
        # What is refused may be refused one message later: the head waits for the body.
        assert mine[1:] == its[1:]
        assert its[0].startswith(mine[0])
    else:
        assert mine == its
    assert b"\r\nset-cookie" not in mine[0]


def test_a_long_body_is_not_copied() -> None:
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"200000")]}
    messages = [head, {"type": "http.response.body", "body": bytes(200_000)}]
    assert told(Answer, "GET", True, messages) == told(RequestResponseCycle, "GET", True, messages)


def test_nothing_but_a_body_ends_an_answer() -> None:
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
    mine, its = (told(kind, "GET", True, [head, head]) for kind in (Answer, RequestResponseCycle))
    assert mine == its
    assert "Expected ASGI message 'http.response.body'" in mine[2]
