"""What the open pages are told while it happens: server-sent events, without content but for the state."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["Events"]

_WAITING = 100
_STILL_HERE = 15.0


class Events:
    """Tells every open page the same."""

    def __init__(self) -> None:
        self._pages: set[asyncio.Queue[bytes | None]] = set()
        self._closed = False

    @property
    def is_heard(self) -> bool:
        """Whether a page is open."""
        return bool(self._pages)

    def tell(self, event: str, data: Any) -> None:
        """Tell all pages; one that does not keep up is cut off, and asks anew when it comes back."""
        said = b"event: %s\ndata: %s\n\n" % (event.encode(), json.dumps(data, separators=(",", ":")).encode())
        for page in list(self._pages):
            try:
                page.put_nowait(said)
            except asyncio.QueueFull:
                self._cut_off(page)

    def close(self) -> None:
        """End every stream: the process is about to end."""
        self._closed = True
        for page in list(self._pages):
            self._cut_off(page)

    def _cut_off(self, page: asyncio.Queue[bytes | None]) -> None:
        self._pages.discard(page)
        while not page.empty():
            page.get_nowait()
        page.put_nowait(None)

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield what is told from now on, and a sign of life in between."""
        if self._closed:
            return
        page: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)
        self._pages.add(page)
        try:
            yield b"retry: 1000\n\n"
            while True:
                said: bytes | None = b": still here\n\n"
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_STILL_HERE):
                        said = await page.get()
                if said is None:
                    return
                yield said
        finally:
            self._pages.discard(page)
