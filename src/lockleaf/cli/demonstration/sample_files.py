"""Files for the demonstration, made when they are wanted: a small picture, and a letter."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw

__all__ = ["SAMPLE_FILES"]


def _herons() -> bytes:
    """Return a picture of a dyke with two herons, in a few strokes."""
    picture = Image.new("RGB", (240, 160), "#cfe3ee")
    draw = ImageDraw.Draw(picture)
    draw.polygon([(0, 120), (240, 92), (240, 160), (0, 160)], fill="#6f8f52")
    draw.rectangle([(0, 140), (240, 160)], fill="#5b83a6")
    for x, foot in ((88, 110), (132, 105)):
        draw.line([(x, foot), (x, foot - 24)], fill="#4b4b52", width=1)
        draw.ellipse([(x - 8, foot - 38), (x + 10, foot - 22)], fill="#8b939c")
        draw.line([(x + 8, foot - 32), (x + 12, foot - 48), (x + 22, foot - 48)], fill="#8b939c", width=3)
        draw.line([(x + 20, foot - 48), (x + 30, foot - 46)], fill="#d8a13a", width=2)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _letter() -> bytes:
    return (
        b"Dear Ada,\n\n"
        b"the house by the canal is let from the first of May. There is a pear tree, a rowing boat that leaks,\n"
        b"and a kitchen which you would paint green at once. Come when the trains run again.\n\n"
        b"Henrike\n"
    )


SAMPLE_FILES: Mapping[str, Callable[[], bytes]] = {"herons.png": _herons, "letter.txt": _letter}
"""What makes each file, by its name."""
