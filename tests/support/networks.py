"""Networks between a client and a real server: one that loses answers, one that alters them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.scripted_server import OURS

Altered = Callable[[str, dict[str, Any]], dict[str, Any] | None]


class Network(httpx.AsyncBaseTransport):
    """Carries requests to the real server, and remembers them."""

    def __init__(self) -> None:
        self._carrier = httpx.AsyncHTTPTransport(verify=False)  # the server speaks plain HTTP: no certificates are read
        self.sent: list[tuple[str, str, bytes]] = []
        self.refused: frozenset[str] = frozenset()
        """Methods of the requests that get no connection, as things stand."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method in self.refused:
            raise httpx.ConnectError("the network is down", request=request)
        self.sent.append((request.method, request.url.path, request.content))
        return await self._carrier.handle_async_request(request)

    async def aclose(self) -> None:
        await self._carrier.aclose()

    def count(self, method: str, end: str) -> int:
        """How many requests of this kind were sent."""
        return sum(1 for sent, path, _ in self.sent if sent == method and path.endswith(end))


class LosingNetwork(Network):
    """Loses the answers to ``method`` on paths that end in ``end``, behind the server's work, ``times`` times."""

    def __init__(self, method: str, end: str, times: int = 1, *, then_down: bool = False) -> None:
        super().__init__()
        self._method, self._end, self._times, self._then_down = method, end, times, then_down
        self.down = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("the network is down", request=request)
        response = await super().handle_async_request(request)
        if self._times and request.method == self._method and request.url.path.endswith(self._end):
            self._times -= 1
            self.down = self._then_down
            await response.aclose()
            raise httpx.ReadError("the answer was lost", request=request)
        return response


class AlteringNetwork(Network):
    """Lets ``alter(path, answer)`` change each JSON answer on its way."""

    def __init__(self, alter: Altered) -> None:
        super().__init__()
        self.alter = alter

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if response.status_code == 204 or not response.headers.get("content-type", "").startswith("application/json"):
            return response
        told = json.loads(await response.aread())
        altered = self.alter(request.url.path, told)
        await response.aclose()
        content = json.dumps(told if altered is None else altered).encode()
        return httpx.Response(
            response.status_code, content=content, headers={"content-type": "application/json", **OURS}
        )
