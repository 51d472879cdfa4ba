from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.client.errors import InvalidAnswer
from lockleaf.client.transport.event_stream import EventParser
from lockleaf.wire.sync import Event

STREAM = (
    b": hello\n\n"
    b'event: change\ndata: {"seq": 1, "inbox": 0, "conflicts": 0}\n\n'
    b": still here\n\n"
    b'data: {"seq": 2,\r\ndata: "inbox": 1, "conflicts": 3}\r\n\r\n'
    b'id: 9\rdata:{"seq": 3, "inbox": 0, "conflicts": 0}\r\r\n'
)
EVENTS = [
    Event(seq=1, inbox=0, conflicts=0),
    Event(seq=2, inbox=1, conflicts=3),
    Event(seq=3, inbox=0, conflicts=0),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_events_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    parser = EventParser()
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(places)]
    assert [event for piece in pieces for event in parser.feed(piece)] == EVENTS


@pytest.mark.parametrize("data", [b"{}", b"not json", b'{"seq": -1, "inbox": 0, "conflicts": 0}', b"[]"])
def test_an_event_of_another_shape_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidAnswer):
        EventParser().feed(b"data: " + data + b"\n\n")


def test_an_event_that_never_ends_does_not_fill_the_memory() -> None:
    parser = EventParser()
    with pytest.raises(InvalidAnswer):
        for _ in range(10_000):
            parser.feed(b"data: " + b"x" * 1000 + b"\n")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_events_or_the_named_error(data: bytes) -> None:
    try:
        assert all(isinstance(event, Event) for event in EventParser().feed(data))
    except InvalidAnswer as error:
        assert data.decode("latin-1") not in str(error) or not data.strip()
