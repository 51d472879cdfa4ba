"""Lists of a server: followed to their last page, and left where they lead nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from lockleaf.client.errors import InvalidAnswer
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.lists import fetch_list
from lockleaf.wire.sessions import Session, Sessions
from tests.support.scripted_server import Reply, answer, scripted_server
from tests.unit.client.test_transport import AT_ONCE, session


def listed(*numbers: int, then: str | None = None) -> Reply:
    at = "2026-01-01T00:00:00Z"
    items: list[dict[str, Any]] = [
        {"id": f"0190c0de-0000-7000-8000-{number:012}", "created_at": at, "last_used_at": at, "expires_at": at,
         "device_name": None, "current": False, "scope": "entries"}
        for number in numbers
    ]  # fmt: skip
    return answer(items=items, next_cursor=then)


async def fetched(*replies: Reply) -> tuple[list[Session], list[str]]:
    async with scripted_server(*replies) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        try:
            found = await fetch_list(transport, "/auth/sessions", Sessions)
        finally:
            await transport.aclose()
    return found, [each.path for each in server.seen]


async def test_a_list_is_followed_to_its_last_page() -> None:
    found, asked = await fetched(listed(1, 2, then="two"), listed(3, then="three"), listed(4))
    assert [int(str(each.id)[-12:]) for each in found] == [1, 2, 3, 4]
    assert asked == [f"/api/v1/auth/sessions?limit=500{more}" for more in ("", "&cursor=two", "&cursor=three")]


@pytest.mark.parametrize("replies", [(listed(1, then="one"),), (listed(1, then="one"), listed(then="two"))])
async def test_a_list_that_leads_in_circles_or_nowhere_ends(replies: tuple[Reply, ...]) -> None:
    with pytest.raises(InvalidAnswer):
        await fetched(*replies)
