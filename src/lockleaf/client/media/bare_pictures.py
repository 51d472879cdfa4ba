"""Pictures as they may be shown to everybody: without place, camera and time that were written into them."""

from __future__ import annotations

import io
import warnings
from typing import Any

from lockleaf.client.errors import PictureUnreadable

__all__ = ["bare_picture"]

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
_OPTIONS: dict[str, dict[str, Any]] = {"WEBP": {"quality": 95, "method": 4}, "GIF": {"optimize": False}}
_PIXELS = 100_000_000
"""What is decoded, whole: three bytes a pixel, of all frames of an animation together."""


def bare_picture(data: bytes, media_type: str) -> bytes:
    """Return a picture with its pixels, its frames and its colour profile, upright, and nothing else; blocks.

    A PNG and a GIF are the same to the pixel. A JPEG is written with its own tables, a WebP at a high quality.

    Raises:
        PictureUnreadable: it is no picture of its type, damaged, or of more than a hundred million pixels.
    """
    from PIL import Image, ImageOps, ImageSequence  # noqa: PLC0415  (a third of a second that only who publishes pays)
    from PIL.JpegImagePlugin import get_sampling  # noqa: PLC0415

    kind = _FORMATS.get(media_type)
    if kind is None:
        raise PictureUnreadable
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(data), formats=(kind,))
        with opened as image:
            # Of a JPEG with several pictures the first is the one that is seen; the others hold depth, or a clip.
            count = 1 if kind == "JPEG" else getattr(image, "n_frames", 1)
            if image.width * image.height * count > _PIXELS:
                raise PictureUnreadable
            options = {**_OPTIONS.get(kind, {}), "icc_profile": image.info.get("icc_profile")}
            if kind == "JPEG":
                tables, sampling = getattr(image, "quantization", None), get_sampling(image)
                options |= {"qtables": tables or None, "subsampling": sampling}
            if count > 1:
                frames = [frame.copy() for frame in ImageSequence.Iterator(image)]
                durations = [frame.info.get("duration", 0) for frame in frames]
                options |= {"save_all": True, "append_images": [_bare(frame) for frame in frames[1:]]}
                options |= {"duration": durations, "loop": image.info.get("loop", 1)}
                first = frames[0]
            else:
                first = ImageOps.exif_transpose(image)
            saved = io.BytesIO()
            _bare(first).save(saved, kind, **options)
            return saved.getvalue()
    except PictureUnreadable:
        raise
    except Exception:
        # Decoders raise whatever they like at damaged images.
        raise PictureUnreadable from None


def _bare(image: Any) -> Any:
    """Return the image with nothing noted at it: what is noted would be written again."""
    image.info = {name: image.info[name] for name in ("transparency", "disposal") if name in image.info}
    return image
