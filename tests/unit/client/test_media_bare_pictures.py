"""Pictures that are published: all of what is seen, and nothing of what a camera wrote beside it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from lockleaf.client.errors import PictureUnreadable
from lockleaf.client.media.bare_pictures import bare_picture
from tests.support.photos import photo

KINDS = ("JPEG", "PNG", "WEBP", "GIF")


def media_type(kind: str) -> str:
    return f"image/{kind.lower()}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_loses_where_by_what_and_when_it_was_taken(kind: str) -> None:
    made = photo(kind, profile=b"A profile of colours" if kind != "GIF" else None)
    assert b"Canary" in made
    bare = bare_picture(made, media_type(kind))
    assert b"Canary" not in bare
    picture = Image.open(io.BytesIO(bare))
    assert picture.format == kind
    assert not picture.getexif()
    assert picture.info.get("icc_profile") == (b"A profile of colours" if kind != "GIF" else None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_seen_as_before(kind: str) -> None:
    picture = Image.open(io.BytesIO(bare_picture(photo(kind), media_type(kind)))).convert("RGB")
    # Turned by a quarter, what was left is above.
    shown = {"GIF": ((60, 30), (10, 15), (50, 15))}.get(kind, ((30, 60), (15, 10), (15, 50)))
    assert picture.size == shown[0]
    red, dark = picture.getpixel(shown[1]), picture.getpixel(shown[2])
    assert isinstance(red, tuple)
    assert isinstance(dark, tuple)
    assert red[0] > 230 > 40 > max(red[1:])
    assert max(dark) < 40


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_an_animation_keeps_its_pictures_its_pace_and_its_rounds(kind: str) -> None:
    made = photo(kind, frames=3)
    bare = Image.open(io.BytesIO(bare_picture(made, media_type(kind))))
    before = Image.open(io.BytesIO(made))
    assert getattr(bare, "n_frames", 1) == getattr(before, "n_frames", 1) == 3
    for one, other in zip(ImageSequence.Iterator(bare), ImageSequence.Iterator(before), strict=True):
        one.load()
        other.load()
        assert one.info["duration"] == other.info["duration"] == 120
        if kind != "WEBP":
            assert one.convert("RGB").tobytes() == other.convert("RGB").tobytes()
    assert bare.info["loop"] == 0
    assert b"Canary" not in bare_picture(made, media_type(kind))


def test_what_hangs_behind_a_photo_is_gone() -> None:
    clip = photo("JPEG") + b"a clip that was taken beside it"
    assert b"a clip" not in bare_picture(clip, "image/jpeg")


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "I;16", "1"])
def test_a_png_of_any_mode_is_the_same_to_the_pixel(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (7, 5)).save(file, "PNG")
    bare = Image.open(io.BytesIO(bare_picture(file.getvalue(), "image/png")))
    assert (bare.mode, bare.tobytes()) == (mode, Image.open(io.BytesIO(file.getvalue())).tobytes())


@given(st.binary(max_size=300), st.integers(0, 400), st.sampled_from(KINDS))
def test_what_is_no_picture_is_refused_and_never_sent_as_it_is(noise: bytes, cut: int, kind: str) -> None:
    made = photo(kind)
    for data in (noise, made[: min(cut, len(made) // 2)], made[:20] + noise):
        try:
            bare = bare_picture(data, media_type(kind))
        except PictureUnreadable:
            continue
        assert b"Canary" not in bare


@pytest.mark.parametrize("given_type", ["image/tiff", "image/jpeg", "image/webp", "text/plain"])
def test_a_picture_of_another_type_than_it_says_is_refused(given_type: str) -> None:
    with pytest.raises(PictureUnreadable):
        bare_picture(photo("PNG"), given_type)


def test_a_picture_that_would_take_all_memory_is_refused() -> None:
    file = io.BytesIO()
    Image.new("1", (30_000, 10_000)).save(file, "PNG")
    with pytest.raises(PictureUnreadable):
        bare_picture(file.getvalue(), "image/png")
