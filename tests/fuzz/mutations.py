"""Inputs made from others: bytes changed, cut, repeated, spliced, and numbers that overflow put in."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

__all__ = ["mutated"]

_STRANGE = (
    b"\x00" * 8,
    b"\xff" * 8,
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\xdf\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\x91" * 2000,
    b"[" * 2000,
    b'{"a":' * 500,
    b"-" * 500,
    b"(" * 500,
    b"1e999",
    b"-0",
    b"NaN",
    b"9" * 5000,
    b"\\ud800",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r\n\r\n",
    b"\x00",
    b"\xe2\x80\xae",
    b"&" * 300,
    b"<" * 300,
    b"../" * 20,
    b"9999-12-31T23:59:59+14:00",
    b"0001-01-01T00:00:00-14:00",
    b"0000-00-00",
    b"null",
    b"[]",
    b"{}",
    b"true",
    b'""',
)


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """An input made of one or two of ``seeds``, or of nothing."""
    data = bytearray(draw(st.sampled_from(seeds)) if seeds else b"")
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, min(64, len(data) - place)))
        match draw(st.sampled_from(("write", "strange", "flip", "cut", "end", "again", "splice"))):
            case "write":
                data[place : place + length] = draw(st.binary(max_size=16))
            case "strange":
                data[place : place + length] = draw(st.sampled_from(_STRANGE))
            case "flip" if place < len(data):
                data[place] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[place : place + length]
            case "end":
                del data[place:]
            case "again":
                data[place:place] = bytes(data[place : place + length]) * draw(st.integers(1, 20))
            case "splice" if seeds:
                other = draw(st.sampled_from(seeds))
                begin = draw(st.integers(0, len(other)))
                data[place : place + length] = other[begin : begin + draw(st.integers(0, 256))]
            case _:
                pass
    return bytes(data)
