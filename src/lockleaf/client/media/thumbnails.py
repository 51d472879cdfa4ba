"""Small pictures of attached images, made here and sealed like any file, to be shown without the originals."""

from __future__ import annotations

import io
import warnings
from typing import IO

__all__ = ["EDGE", "MEDIA_TYPE", "thumbnail"]

MEDIA_TYPE = "image/webp"
EDGE = 320
"""Pixels of the longer side at most."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
"""What cameras, phones and browsers make. Each further decoder would be one more that a hostile file can try."""
_PIXELS = 16_000_000
_PIXELS_OF_JPEG = 64_000_000
"""A baseline JPEG is decoded at a fraction of its size, all else whole, at up to four bytes a pixel."""
_LONGEST_EDGE = 32_768
"""An image of one column and a million rows is small by its pixels, and takes a hundred times their memory."""
_SAVED = {"quality": 75, "method": 4}


def thumbnail(file: IO[bytes]) -> bytes | None:
    """Return a picture of an image, upright, at most 320 pixels wide and high, as WebP without any metadata; blocks.

    None where ``file`` is no image that is read here, is too large to be decoded in little memory, or is damaged.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415  (a third of a second that only who attaches an image pays)

    try:
        with warnings.catch_warnings():
            # What it would be told of is looked at below, and no panorama is worth a warning on somebody's screen.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(file, formats=_FORMATS)
        with opened as image:
            if image.width * image.height > _limit(image.format, image.info) or max(image.size) > _LONGEST_EDGE:
                return None
            image.draft("RGB", (2 * EDGE, 2 * EDGE))
            upright = ImageOps.exif_transpose(image)
            picture = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            picture.thumbnail((EDGE, EDGE))
            # A new image has nothing of the old one but its pixels: no place, no camera, no colour profile.
            bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
            saved = io.BytesIO()
            bare.save(saved, "WEBP", **_SAVED)
            return saved.getvalue()
    except Exception:
        # Decoders raise whatever they like at damaged images, and an attachment is whole without its picture.
        return None


def _limit(image_format: str | None, info: dict[str | tuple[int, int], object]) -> int:
    baseline = image_format == "JPEG" and not info.get("progressive")
    return _PIXELS_OF_JPEG if baseline else _PIXELS
