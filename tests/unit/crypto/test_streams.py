"""age files as streams: what goes in comes out, nothing else opens, and what a file raises is what its user sees."""

from __future__ import annotations

import io

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.crypto.errors import BadRecipient, Malformed, SealBroken
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.streams import open_stream, seal_stream

NOW = "2026-01-01T00:00:00Z"
KEYRING = Keyring.new(NOW)
CHUNK = 64 * 1024


def sealed(data: bytes, keyring: Keyring = KEYRING) -> bytes:
    out = io.BytesIO()
    seal_stream(keyring.newest.recipient, io.BytesIO(data), out)
    return out.getvalue()


def opened(data: bytes, *identities: str) -> bytes:
    out = io.BytesIO()
    open_stream(identities or KEYRING.identities, io.BytesIO(data), out)
    return out.getvalue()


@given(st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]) | st.integers(0, 3 * CHUNK))
def test_what_is_sealed_opens_to_the_same_bytes_and_is_an_ordinary_age_file(size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    made = sealed(data[:size])
    assert opened(made) == data[:size]
    assert pyrage.decrypt(made, [pyrage.x25519.Identity.from_str(KEYRING.newest.identity)]) == data[:size]


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_any_flipped_byte_and_any_missing_end_is_noticed(at: int, mask: int) -> None:
    made = sealed(b"text" * 40_000)
    at %= len(made)
    altered = bytearray(made)
    altered[at] ^= mask
    for damaged in (bytes(altered), made[:at], made + b"x"):
        with pytest.raises(SealBroken):
            opened(damaged)


def test_earlier_keys_open_and_others_do_not() -> None:
    made = sealed(b"text")
    assert opened(made, *KEYRING.rotated(NOW, HistoryPlace("epoch", 7, bytes(32))).identities) == b"text"
    with pytest.raises(SealBroken):
        opened(made, *Keyring.new(NOW).identities)
    with pytest.raises(Malformed):
        opened(made, "AGE-SECRET-KEY-1")


def test_a_recipient_that_is_none_is_refused_before_anything_is_written() -> None:
    out = io.BytesIO()
    with pytest.raises(BadRecipient):
        seal_stream("age1", io.BytesIO(b"text"), out)
    assert out.getvalue() == b""


class Failing(io.BytesIO):
    """Fails behind some bytes, as disks do."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > CHUNK:
            raise OSError(5, "the disk")
        return super().read(size)

    def write(self, data: object, /) -> int:
        if self.tell() > CHUNK:
            raise OSError(28, "no room")
        return super().write(data)  # type: ignore[arg-type]


def test_what_a_file_raises_comes_through() -> None:
    data = bytes(4 * CHUNK)
    made = sealed(data)
    with pytest.raises(OSError, match="the disk"):
        seal_stream(KEYRING.newest.recipient, Failing(data), io.BytesIO())
    with pytest.raises(OSError, match="no room"):
        seal_stream(KEYRING.newest.recipient, io.BytesIO(data), Failing())
    with pytest.raises(OSError, match="the disk"):
        open_stream(KEYRING.identities, Failing(made), io.BytesIO())
    with pytest.raises(OSError, match="no room"):
        open_stream(KEYRING.identities, io.BytesIO(made), Failing())
