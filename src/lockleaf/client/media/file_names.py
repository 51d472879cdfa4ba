"""Names of files: an entry can say anything, and what it says must not choose where a file goes."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from pathlib import PurePath

__all__ = ["MAX_NAME", "clean_name", "guessed_type", "safe_name"]

MAX_NAME = 255
"""Characters of a name as an entry holds it."""

OCTETS = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}", re.ASCII)

_BYTES = 180
"""Bytes of a safe name: file systems take 255, and a temporary name is made from it."""
_SUFFIX = 16
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)


def clean_name(name: str) -> str:
    """Return ``name`` as an entry may hold it: one line, without what it is a path of, without what commands a screen.

    Raises:
        ValueError: nothing is left of it.
    """
    last = re.split(r"[/\\]", name)[-1]
    text = "".join(c for c in last.encode("utf-8", "replace").decode() if c.isprintable()).strip()[:MAX_NAME].strip()
    if text in {"", ".", ".."}:
        raise ValueError("no name")
    return text


def safe_name(name: str, media_type: str = OCTETS, *, limit: int = _BYTES) -> str:
    """Return a name for a file in some folder, whatever an entry says.

    It is one component of a path on every usual system, not hidden, no option to a command, no device of Windows, and
    short enough; where nothing is left it is called ``attachment``.

    Args:
        name: as the entry has it.
        media_type: gives the ending where nothing is left of the name.
        limit: of its bytes.
    """
    text = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1].encode("utf-8", "replace").decode())
    text = "".join(c for c in text if c.isprintable())
    # A leading dash would be an option to a command, a leading dot hides the file, a trailing one is lost on Windows.
    text = _FORBIDDEN.sub("_", text).lstrip(" .-~").rstrip(" .")
    if not text:
        return "attachment" + (mimetypes.guess_extension(media_type, strict=False) or "")
    if _RESERVED.match(text):
        text = "_" + text
    return _shortened(text, limit)


def _shortened(text: str, limit: int) -> str:
    """Cut a name to its limit and leave it its ending."""
    if len(text.encode()) <= limit:
        return text
    suffix = PurePath(text).suffix
    if not 1 < len(suffix.encode()) <= _SUFFIX:
        suffix = ""
    stem = text[: len(text) - len(suffix)].encode()[: limit - len(suffix.encode())].decode(errors="ignore")
    return stem.rstrip(" .") + suffix


def guessed_type(name: str) -> str:
    """Return the media type that a name's ending stands for, ``application/octet-stream`` where it stands for none."""
    guessed, encoding = mimetypes.guess_type(name, strict=False)
    return guessed.lower() if guessed and not encoding and _MEDIA_TYPE.fullmatch(guessed.lower()) else OCTETS


def checked_type(media_type: str) -> str:
    """Return a media type in lower case, without parameters.

    Raises:
        ValueError: it is not a media type.
    """
    text = media_type.partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.fullmatch(text):
        raise ValueError("no media type")
    return text
