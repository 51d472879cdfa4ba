"""Putting something into an inbox as an integration would: sealed on the server, for the account alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from lockleaf.server.features.inbox import service as inbox
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.main.app import build_parts
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import LimitSettings, Settings

__all__ = ["post_office"]

LETTER = {
    "title": "Postcard from the coast",
    "body": "The ferry was late, so we ate the sandwiches on the quay and watched the cranes.",
    "tags": ["friends"],
    "occurred_at": "2026-05-02T17:30:00Z",
}


@asynccontextmanager
async def post_office(settings: Settings, database_url: str) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Give a function that puts a letter into the inbox of an email's account."""
    parts = build_parts(settings, database_url)

    async def deliver(email: str) -> None:
        async with parts[Database].transaction() as tx:
            account = await accounts.by_email(tx.session, email)
            assert account is not None
            await inbox.add(
                tx,
                parts[Clock],
                parts[LimitSettings],
                parts[ServerKeys],
                account.user_id,
                "postcards",
                "coast-1",
                LETTER,
            )

    try:
        yield deliver
    finally:
        parts[VerifierHasher].close()
        await parts[Database].close()
