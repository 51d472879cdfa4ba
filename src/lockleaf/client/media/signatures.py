"""What a file is by its first bytes, where its name says something else or nothing."""

from __future__ import annotations

import re

__all__ = ["ENOUGH", "type_by_content"]

ENOUGH = 32
"""So many bytes of a file tell what it is."""

_SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"....ftyp(heic|heix|mif1)", re.DOTALL), "image/heic"),
    (re.compile(rb"....ftypavif", re.DOTALL), "image/avif"),
    (re.compile(rb"....ftypM4A", re.DOTALL), "audio/mp4"),
    (re.compile(rb"....ftypqt", re.DOTALL), "video/quicktime"),
    (re.compile(rb"....ftyp(isom|mp4[12]|avc1|M4V)", re.DOTALL), "video/mp4"),
    (re.compile(rb"%PDF-"), "application/pdf"),
    (re.compile(rb"ID3|\xff[\xf2\xf3\xfb]"), "audio/mpeg"),
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), "audio/x-wav"),
    (re.compile(rb"fLaC"), "audio/flac"),
    (re.compile(rb"II\*\0|MM\0\*"), "image/tiff"),
)


def type_by_content(start: bytes) -> str | None:
    """Return the media type that the first bytes of a file show; None where they show none that is known here."""
    return next((media_type for signature, media_type in _SIGNATURES if signature.match(start)), None)
