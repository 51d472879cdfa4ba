"""Small files of every kind that a journal has, each with content of its own."""

from __future__ import annotations

import io

from PIL import Image

__all__ = ["MP3", "MP4", "PDF", "jpeg", "png"]

PDF = b"%PDF-1.4\n%%EOF\n"
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(200)
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(300)


def jpeg(number: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    """A photo that no other number has."""
    return _saved(number, size, "JPEG")


def png(number: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    """A drawing that no other number has."""
    return _saved(number, size, "PNG")


def _saved(number: int, size: tuple[int, int], form: str) -> bytes:
    image = Image.new("RGB", size, (number % 256, number // 256 % 256, 80))
    image.putpixel((number % size[0], 0), (255, 255, 255))
    file = io.BytesIO()
    image.save(file, form, comment=str(number).encode()) if form == "JPEG" else image.save(file, form)
    return file.getvalue()
