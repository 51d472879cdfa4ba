"""Pictures with what a camera writes into them: a place, a name, a note. All of it says ``Canary``."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

__all__ = ["QUARTER_TURN", "photo"]

QUARTER_TURN = 6


def photo(kind: str, *, frames: int = 1, profile: bytes | None = None) -> bytes:
    """Return a picture of 60 by 30 pixels, its left half red, to be shown turned by a quarter where it can say so."""
    pictures = []
    for number in range(frames):
        picture = Image.new("RGB", (60, 30), (10 * number, 10, 10))
        picture.paste("red", (0, 0, 30, 30))
        pictures.append(picture)
    options: dict[str, Any] = {"icc_profile": profile}
    if kind in {"JPEG", "PNG", "WEBP"}:
        options["exif"] = _exif() if frames == 1 else _exif(turned=False)
    if kind in {"JPEG", "WEBP"}:
        options["xmp"] = b"<x:xmpmeta>Canary</x:xmpmeta>"
    if kind in {"JPEG", "GIF"}:
        options["comment"] = b"Canary note"
    if kind == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Author", "Canary")
        options["pnginfo"].add_itxt("Place", "Canary", zip=False)
    if frames > 1:
        options |= {"save_all": True, "append_images": pictures[1:], "duration": 120, "loop": 0}
    file = io.BytesIO()
    pictures[0].save(file, kind, **options)
    return file.getvalue()


def _exif(*, turned: bool = True) -> Image.Exif:
    exif = Image.Exif()
    if turned:
        exif[0x0112] = QUARTER_TURN
    exif[0x010F] = "Canary Camera"
    exif.get_ifd(0x8825)[1] = "Canary"
    return exif
