"""Reaching a server that runs in this process, and what it refers to elsewhere."""

from __future__ import annotations

from typing import Any

import httpx

__all__ = ["within"]


def within(app: Any, server: str) -> httpx.AsyncBaseTransport:
    """Return a transport by which ``app`` answers what is asked of ``server``, and the network all else: a bucket."""
    return _Within(httpx.ASGITransport(app=app), httpx.URL(server).netloc)


class _Within(httpx.AsyncBaseTransport):
    def __init__(self, inside: httpx.ASGITransport, here: bytes) -> None:
        self._inside = inside
        self._here = here

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.netloc == self._here:
            return await self._inside.handle_async_request(request)
        async with httpx.AsyncHTTPTransport() as outside:
            answer = await outside.handle_async_request(request)
            await answer.aread()
            return answer
