"""Accounts for clients that were written to older documents, which name them with their passwords.

Three are as such a client makes them, one in each tier: it keeps its keys to itself, so the account has no keyring. In
the fourth the server opens the content within a session (uce), so that its password opens it with any client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import httpx

__all__ = ["DOCUMENTED", "Documented", "make"]


@dataclass(frozen=True, slots=True)
class Documented:
    """An account that older documents name. Its password is known to everybody."""

    email: str
    password: str
    display_name: str
    custody: Literal["e2e", "uce"]
    privacy_tier: Literal["local_only", "analytics_sync", "full_sync"]


DOCUMENTED = (
    Documented("test@example.com", "testpass123", "Test", "e2e", "full_sync"),
    Documented("love@food.com", "foodlover123", "Love", "e2e", "analytics_sync"),
    Documented("cell@apoptosis.com", "researcher123", "Cell", "e2e", "local_only"),
    Documented("hike@man.com", "hiker123", "Hike", "uce", "full_sync"),
)


async def make(server: str, transport: httpx.AsyncBaseTransport) -> None:
    """Make the accounts on ``server``, which ``transport`` reaches, as a client does that has nothing of ours.

    Raises:
        httpx.HTTPStatusError: the server refused one.
    """
    async with httpx.AsyncClient(base_url=f"{server.rstrip('/')}/api/v1", transport=transport) as http:
        for each in DOCUMENTED:
            body = {
                "email": each.email,
                "password": each.password,
                "display_name": each.display_name,
                "privacy_tier": each.privacy_tier,
            }
            if each.custody == "uce":
                answer = await http.post("/auth/signup", json={**body, "encryption_tier": "uce"})
            else:
                answer = await http.post("/auth/register", json=body)
            answer.raise_for_status()
