"""A text as a picture to be scanned."""

from __future__ import annotations

import io

import segno

__all__ = ["drawn"]


def drawn(text: str, *, error: str = "l") -> str:
    """Return a QR code as SVG: sizes and colours as attributes, since the page takes no style.

    Args:
        error: how much of it may be unreadable, as `segno` has it.
    """
    file = io.BytesIO()
    segno.make(text, error=error).save(
        file, kind="svg", xmldecl=False, svgns=True, omitsize=True, dark="#000", light="#fff"
    )
    return file.getvalue().decode()
