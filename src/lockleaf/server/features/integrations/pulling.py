"""Posts come in: page by page into the sealed inbox, each exactly once, whatever fails in between.

A post is taken over in one transaction: its digest among those that came, its item in the inbox, its pictures. How far
a connection was read is noted only behind that. What is read twice is known by its digest, so that a pull may break off
anywhere and begin again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from lockleaf.server.features.inbox import service as inbox
from lockleaf.server.features.inbox.errors import ItemTooLarge, RecipientRequired
from lockleaf.server.features.integrations import connections, settling
from lockleaf.server.features.integrations.errors import IntegrationNotFound, NetworkThrottled, as_domain_error
from lockleaf.server.features.integrations.failures import NetworkFailure, ReconnectNeeded, Throttled
from lockleaf.server.features.integrations.networks import Networks
from lockleaf.server.features.integrations.pictures import PostPictures, Taken
from lockleaf.server.features.integrations.providers.protocol import Post, PostPage, Provider
from lockleaf.server.features.integrations.repository import (
    IntegrationRepository,
    PostRepository,
    StoredIntegration,
    StoredPost,
)
from lockleaf.server.features.integrations.sealing import Connection, Unopened
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import DomainError
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import LimitSettings
from lockleaf.server.records.quota import Quota
from lockleaf.wire import integrations as wire

__all__ = ["PostPuller"]

_RECIPIENT = "SELECT recipient FROM accounts WHERE user_id = $1"


@dataclass(slots=True)
class _Counts:
    added: int = 0
    known: int = 0
    skipped: int = 0
    complete: bool = False


class _Waits(Exception):
    """A post may be what a push in doubt has published; it is read again when that is known."""


@dataclass(frozen=True, slots=True)
class PostPuller:
    """Takes over posts, with their pictures, into the inbox."""

    database: Database
    clock: Clock
    networks: Networks
    pictures: PostPictures
    limits: LimitSettings
    keys: ServerKeys
    quota: Quota

    async def pull(self, stored: StoredIntegration, *, pages: int) -> wire.Pulled:
        """Take over what is new at a connection, at most so many pages of it.

        Raises:
            ReconnectRequired: its token is no more.
            NetworkThrottled: the network wants to be left alone until later.
            NetworkUnavailable, NetworkRefused: the network does not answer as it should.
            RecipientRequired, TierRequired, InboxFull, QuotaExceeded: the account cannot take it.
            StoreUnavailable: the object store does not answer.
        """
        now = self.clock()
        if stored.paused_until is not None and stored.paused_until > now:
            raise NetworkThrottled(retry_after=int((stored.paused_until - now).total_seconds()) + 1)
        provider = self.networks.provider(stored.provider)
        counts = _Counts()
        try:
            kept = await connections.fresh(self.database, self.networks.seals, stored, provider, now=now)
            await settling.settle_all(self.database, self.clock, self.networks.seals, stored, provider, kept)
            await self._pages(stored, provider, kept, counts, pages)
        except NetworkFailure as failure:
            error = as_domain_error(failure)
            await self._note(stored, error, failure)
            raise error from None
        except DomainError as error:
            await self._note(stored, error, None)
            raise
        return wire.Pulled(added=counts.added, known=counts.known, skipped=counts.skipped, complete=counts.complete)

    async def _pages(
        self, stored: StoredIntegration, provider: Provider, kept: Connection, counts: _Counts, pages: int
    ) -> None:
        position: str | None = None
        if stored.position is not None:
            with suppress(Unopened):  # of a root that is gone: it is read from the beginning, and what came is known
                position = self.networks.seals.open(stored.user_id, stored.provider, stored.position)
        for _ in range(pages):
            page = await provider.pull(kept.grant, kept.profile, position)
            try:
                await self._take_over(stored, kept, page, counts)
            except _Waits:
                return
            position = page.position
            counts.complete = not page.more
            await self._advance(stored, page)
            if counts.complete or page.pause:
                return

    async def _advance(self, stored: StoredIntegration, page: PostPage) -> None:
        now = self.clock()
        sealed = None
        if page.position is not None:
            sealed = self.networks.seals.seal(stored.user_id, stored.provider, page.position)
        async with self.database.transaction() as tx:
            await IntegrationRepository(tx.connection, stored.user_id).advance(
                stored.integration_id,
                sealed,
                pulled_at=None if page.more else now,
                paused_until=now + timedelta(seconds=page.pause) if page.pause else None,
            )

    async def _note(self, stored: StoredIntegration, error: DomainError, failure: NetworkFailure | None) -> None:
        """Note what a pull ended with, for its user to see."""
        paused_until: datetime | None = None
        if isinstance(failure, Throttled):
            paused_until = self.clock() + timedelta(seconds=failure.retry_after)
        state = "reconnect_required" if isinstance(failure, ReconnectNeeded) else stored.state
        async with self.database.transaction() as tx:
            await IntegrationRepository(tx.connection, stored.user_id).fail(
                stored, error.code, paused_until=paused_until, state=state
            )

    async def _take_over(self, stored: StoredIntegration, kept: Connection, page: PostPage, counts: _Counts) -> None:
        digests = {post.id: settling.post_digests(self.networks.seals, stored, kept, post.id) for post in page.posts}
        async with self.database.read_driver() as connection:
            known = await PostRepository(connection, stored.user_id).known(
                [each for all_ in digests.values() for each in all_]
            )
            recipient: str | None = await connection.fetchval(_RECIPIENT, stored.user_id)
        if recipient is None:
            raise RecipientRequired
        for post in page.posts:
            if known.intersection(digests[post.id]):
                counts.known += 1
                continue
            taken, missing = await self.pictures.take(stored.user_id, recipient, post)
            arrived = False
            try:
                arrived = await self._arrive(stored, kept, post, digests[post.id], taken, missing, counts)
            finally:
                if not arrived:
                    await self.pictures.forget(stored.user_id, taken)

    async def _arrive(
        self,
        stored: StoredIntegration,
        kept: Connection,
        post: Post,
        digests: list[bytes],
        taken: list[Taken],
        missing: int,
        counts: _Counts,
    ) -> bool:
        """Put a post into the inbox, unless it came by another way meanwhile; tell whether it did."""
        user_id = stored.user_id
        async with self.database.transaction() as tx:
            # The account first, as everybody does who locks both.
            await accounts.lock(tx.session, user_id)
            connection = tx.connection
            if await IntegrationRepository(connection, user_id).get(stored.integration_id, hold=True) is None:
                raise IntegrationNotFound
            posts = PostRepository(connection, user_id)
            if await posts.known(digests):
                counts.known += 1
                return False
            doubted = await posts.in_doubt(stored.integration_id)
            if any(settling.may_be(each, post.created_at) for each in doubted):
                raise _Waits
            state = "linked"
            try:
                await inbox.add(
                    tx,
                    self.clock,
                    self.limits,
                    self.keys,
                    user_id,
                    stored.provider,
                    _external_id(kept, post),
                    _content(post, taken, missing),
                    media=[each.media_id for each in taken],
                    quota=self.quota,
                )
            except (ItemTooLarge, ValidationError):
                state = "skipped"
            else:
                await self.pictures.complete(connection, user_id, taken)
            now = self.clock()
            words = settling.post_words(stored, kept, post.id)
            fields = {"id": post.id, "url": post.url, "post_key": words}
            await posts.add(
                StoredPost(
                    post_id=uuid7(now),
                    integration_id=stored.integration_id,
                    provider=stored.provider,
                    direction="in",
                    state=state,
                    post_key=digests[0],
                    sealed=self.networks.seals.seal(user_id, stored.provider, fields),
                    noted_at=now,
                    settled_at=now,
                )
            )
        if state == "linked":
            counts.added += 1
        else:
            counts.skipped += 1
        return state == "linked"


def _external_id(kept: Connection, post: Post) -> str:
    """Return what a post is called in all the world: ids of an instance are its own."""
    if kept.grant.instance is None:
        return post.id
    return f"{urlsplit(kept.grant.instance).netloc}/{post.id}"


def _content(post: Post, taken: list[Taken], missing: int) -> dict[str, Any]:
    lost = missing + post.others
    fields: dict[str, Any] = {
        "body": post.text,
        "title": post.title,
        "tags": list(post.tags[:60]),
        "occurred_at": post.created_at.isoformat().replace("+00:00", "Z"),
        "link": post.url,
        "attachments": [each.described for each in taken],
        "missing": lost or None,
    }
    return {name: value for name, value in fields.items() if value not in (None, [])}
