"""Opening the page in the user's browser, so that no other user of the machine reads the token.

What a program is started with stands in the list of processes, for everybody. So the browser is started with a local
file that only its user can read, and the file leads to the page.
"""

from __future__ import annotations

import os
import secrets
import sys
import webbrowser
from contextlib import suppress
from html import escape
from pathlib import Path

from lockleaf.app.instance import write_for_owner

__all__ = ["forget_ways", "has_browser", "open_page"]

_NAME = "open-{}.html"
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Lockleaf</title>'
    '<meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url={url}">'
    '<p><a href="{url}">Open the journal</a></p></html>\n'
)


def has_browser() -> bool:
    """Tell whether there is a screen to open a browser on; in a terminal alone none is started."""
    if os.environ.get("BROWSER") or sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_page(folder: Path, url: str) -> None:
    """Start the browser with a file that leads to the page. Blocks, with some browsers as long as they are open."""
    way = folder / _NAME.format(secrets.token_hex(8))
    write_for_owner(way, _PAGE.format(url=escape(url)).encode())
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(way.as_uri())


def forget_ways(folder: Path) -> None:
    """Remove the files that led to the page."""
    for way in folder.glob(_NAME.format("*")):
        way.unlink(missing_ok=True)
