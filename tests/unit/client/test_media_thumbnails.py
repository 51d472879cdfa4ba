"""Thumbnails: small, upright, without metadata, and none where an image is invalid or would cost too much."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lockleaf.client.media.thumbnails import EDGE, thumbnail


def saved(image: Image.Image, kind: str, **more: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **more)
    file.seek(0)
    return file


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    return Image.open(io.BytesIO(data))


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]))
def test_a_picture_fits_its_edge_and_keeps_its_shape(width: int, height: int, kind: str) -> None:
    picture = opened(thumbnail(saved(Image.new("RGB", (width, height), "teal"), kind)))
    assert picture.format == "WEBP"
    assert max(picture.size) == min(EDGE, max(width, height))
    scale = max(picture.size) / max(width, height)
    assert abs(picture.width - width * scale) <= 1
    assert abs(picture.height - height * scale) <= 1


def test_a_photo_is_turned_upright_and_loses_where_and_by_what_it_was_taken() -> None:
    photo = Image.new("RGB", (600, 300), "white")
    photo.paste("red", (0, 0, 300, 300))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Canary Camera"
    exif.get_ifd(0x8825)[1] = "N"
    picture = opened(thumbnail(saved(photo, "JPEG", exif=exif, icc_profile=b"Canary Profile", comment=b"Canary note")))
    assert picture.size == (160, 320)
    red = picture.convert("RGB").getpixel((80, 40))
    white = picture.convert("RGB").getpixel((80, 280))
    assert isinstance(red, tuple)
    assert isinstance(white, tuple)
    assert red[0] > 200 > 60 > red[1]
    assert min(white) > 200
    assert not picture.getexif()
    assert "icc_profile" not in picture.info
    data = thumbnail(saved(photo, "JPEG", exif=exif, icc_profile=b"Canary Profile", comment=b"Canary note"))
    assert data is not None
    assert b"Canary" not in data


def test_what_is_clear_stays_clear() -> None:
    picture = opened(thumbnail(saved(Image.new("RGBA", (40, 40), (0, 0, 255, 0)), "PNG")))
    assert picture.mode == "RGBA"
    assert picture.getchannel("A").getextrema() == (0, 0)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("edge", [4100, 8000])
def test_an_image_that_would_fill_the_memory_has_none(edge: int) -> None:
    header = struct.pack(">IIBBBBB", edge, edge, 8, 6, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )
    assert thumbnail(io.BytesIO(bomb)) is None


def test_an_image_of_one_column_without_end_has_none_either() -> None:
    # By its pixels it is small; decoded, a row takes a hundred times what its pixel does.
    assert thumbnail(saved(Image.new("1", (1, 30_000)), "PNG")) is not None
    assert thumbnail(saved(Image.new("1", (1, 40_000)), "PNG")) is None


def test_an_image_that_is_too_large_is_no_warning_to_anybody() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert thumbnail(saved(Image.new("1", (10_000, 10_000)), "PNG")) is None
    assert told == []


@given(st.binary(max_size=200), st.integers(0, 2000))
def test_what_is_no_image_or_a_damaged_one_does_no_harm(noise: bytes, at: int) -> None:
    assert thumbnail(io.BytesIO(noise)) is None
    data = saved(Image.linear_gradient("L"), "PNG").getvalue()
    at %= len(data)
    found = thumbnail(io.BytesIO(data[:at] + noise + data[at + len(noise) :]))
    assert found is None or opened(found).format == "WEBP"


def test_formats_that_are_not_read_have_none() -> None:
    assert thumbnail(saved(Image.new("RGB", (40, 40)), "BMP")) is None
