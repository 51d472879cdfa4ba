"""What became of a push whose answer was lost: the network's own list tells.

A push is noted before it is sent. If its answer does not come, or we do not live to hear it, it stays in doubt. Whoever
comes next looks for its text among what the network lists since then. The text itself was not kept; a keyed digest of
it was. What is found is linked. What is not found after a while was not published.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.server.features.entries import publications
from lockleaf.server.features.integrations.providers.protocol import FoundPost, Provider, Published
from lockleaf.server.features.integrations.repository import PostRepository, StoredIntegration, StoredPost
from lockleaf.server.features.integrations.sealing import Connection, Seals, Unopened
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database

__all__ = [
    "SETTLED_AFTER",
    "link",
    "may_be",
    "opened_fields",
    "post_digests",
    "post_words",
    "settle",
    "settle_all",
    "text_digests",
]

SETTLED_AFTER = timedelta(minutes=10)
"""After which a push that is in no list was not published: what was still under way is over by then."""
SKEW = timedelta(minutes=10)
"""How far the clocks of a network and of this server may be apart."""


async def settle_all(
    database: Database, clock: Clock, seals: Seals, stored: StoredIntegration, provider: Provider, kept: Connection
) -> None:
    """Look for every push of a connection that is in doubt.

    Raises:
        NetworkFailure: the network does not tell.
    """
    async with database.read_driver() as connection:
        doubted = await PostRepository(connection, stored.user_id).in_doubt(stored.integration_id)
    for push in doubted:
        if await settle(database, clock, seals, stored, provider, kept, push) is None and is_over(push, clock()):
            async with database.transaction() as tx:
                await PostRepository(tx.connection, stored.user_id).settle(push.post_id, "refused")


async def settle(
    database: Database,
    clock: Clock,
    seals: Seals,
    stored: StoredIntegration,
    provider: Provider,
    kept: Connection,
    push: StoredPost,
) -> FoundPost | None:
    """Look for a push in what the network lists, and link it; None if it is not there.

    Raises:
        NetworkFailure: the network does not tell.
    """
    assert push.noted_at is not None, "every push is noted with its time"
    target = opened_fields(seals, stored, push).get("target")
    async for found in provider.find(kept.grant, kept.profile, target, push.noted_at):
        if push.text_key not in text_digests(seals, stored.user_id, found.text):
            continue
        digests = post_digests(seals, stored, kept, found.id)
        async with database.transaction() as tx:
            posts = PostRepository(tx.connection, stored.user_id)
            if await posts.known(digests):
                continue  # the same words, published at another time
            await link(tx.connection, seals, stored, kept, push, Published(found.id, found.url), now=clock())
        return found
    return None


async def link(
    connection: asyncpg.Connection,
    seals: Seals,
    stored: StoredIntegration,
    kept: Connection,
    push: StoredPost,
    made: Published,
    *,
    now: datetime,
) -> bool:
    """Note what a push became, here and in its entry's history; tell whether it was in doubt until now."""
    words = post_words(stored, kept, made.id)
    fields = {**opened_fields(seals, stored, push), "id": made.id, "url": made.url, "post_key": words}
    linked = await PostRepository(connection, stored.user_id).link(
        push.post_id, seals.digest(stored.user_id, *words), seals.seal(stored.user_id, stored.provider, fields), now
    )
    if linked and push.entry_id is not None:
        await publications.note(connection, stored.user_id, push.entry_id, push.post_id, at=now)
    return linked


def is_over(push: StoredPost, now: datetime) -> bool:
    """Tell whether a push was sent so long ago that nothing of it is under way any more."""
    return push.noted_at is not None and now - push.noted_at >= SETTLED_AFTER


def may_be(push: StoredPost, created_at: datetime) -> bool:
    """Tell whether a post that was made at a time may be what a push in doubt became."""
    return push.noted_at is not None and created_at >= push.noted_at - SKEW


def opened_fields(seals: Seals, stored: StoredIntegration, post: StoredPost) -> dict[str, Any]:
    """Return what is kept, sealed, of a post: `id, url, target`, and the words of its digests; nothing where the root
    that sealed it is gone."""
    if post.sealed is None:
        return {}
    try:
        fields: dict[str, Any] = seals.open(stored.user_id, stored.provider, post.sealed)
    except Unopened:
        return {}
    return fields


def post_words(stored: StoredIntegration, kept: Connection, external_id: str) -> list[str]:
    """Return the words whose digest is a post's key."""
    return ["post", stored.provider, kept.grant.instance or "", external_id]


def post_digests(seals: Seals, stored: StoredIntegration, kept: Connection, external_id: str) -> list[bytes]:
    """Return the digests of a post of a connection under each root, the newest first."""
    return seals.digests(stored.user_id, *post_words(stored, kept, external_id))


def text_digests(seals: Seals, user_id: UUID, text: str) -> list[bytes]:
    """Return the digests of a text under each root, the newest first. Networks change the space in texts."""
    return seals.digests(user_id, "text", " ".join(text.split()))
