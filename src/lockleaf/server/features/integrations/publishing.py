"""Entries go out: each to one place exactly once, or it is said that nobody knows.

A push is noted and committed before it is sent. What is certain not to have been published may be sent again. What is
in doubt is looked for first (settling.py); where the network knows the key of a push, it is sent again under the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from lockleaf.server.features.entries.errors import EntryNotFound
from lockleaf.server.features.integrations import connections, settling
from lockleaf.server.features.integrations.errors import IntegrationNotFound, as_domain_error
from lockleaf.server.features.integrations.failures import NetworkFailure, ReconnectNeeded
from lockleaf.server.features.integrations.networks import Networks
from lockleaf.server.features.integrations.providers.protocol import OutgoingPost, Picture, Provider
from lockleaf.server.features.integrations.repository import (
    IntegrationRepository,
    PostRepository,
    StoredIntegration,
    StoredPost,
)
from lockleaf.server.features.integrations.sealing import Connection
from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.settings import IntegrationSettings
from lockleaf.server.records import diary
from lockleaf.wire import integrations as wire

__all__ = ["Publisher"]

OPENING = "integrations.push"
COLLECTION = "entries"
SENT_AGAIN_AFTER = timedelta(minutes=2)
"""Before which a push under the same key could meet the first one on its way."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes entries, and opens one where its client gives no text."""

    database: Database
    clock: Clock
    custodian: Custodian
    networks: Networks
    settings: IntegrationSettings

    async def push(self, principal: Principal, name: str, body: wire.PushRequest) -> wire.PushResult:
        """Publish an entry. One that is published there is not published again.

        Raises:
            IntegrationNotFound, IntegrationNotNamed, ProviderNotConfigured: it is not clear where.
            EntryNotFound: there is no such entry.
            InvalidRequest: the text, the target, the visibility or the pictures are not what the network takes.
            ReconnectRequired, NetworkRefused, NetworkThrottled, NetworkUnavailable: it was not published, for certain.
        """
        provider = self.networks.provider(name)
        stored = await connections.the_one(self.database, self.networks, principal.user_id, name, body.integration_id)
        kept = await self._fresh(stored, provider)
        target = self._checked(provider, kept, body)
        words = ["push", name, kept.grant.instance or "", kept.profile.id, target or "", str(body.entry_id)]
        intent, text, is_new = await self._intended(principal, stored, body, target, words)
        if not is_new:
            if intent.state == "linked":
                return self._published(stored, intent)
            settled = await self._settled(stored, provider, kept, intent)
            if settled is not None:
                return settled
            age = self.clock() - (intent.noted_at or self.clock())
            if age < SENT_AGAIN_AFTER or (age < settling.SETTLED_AFTER and age.total_seconds() >= provider.key_seconds):
                waits = SENT_AGAIN_AFTER if provider.key_seconds else settling.SETTLED_AFTER
                return _unknown(stored, body.entry_id, retry_after=max(1, int((waits - age).total_seconds())))
            if age.total_seconds() >= provider.key_seconds:
                await self._settle(stored, intent, "refused")
                return await self.push(principal, name, body)
        outgoing = OutgoingPost(
            text=text,
            key=str(intent.post_id),
            target=target,
            visibility=body.visibility,
            pictures=tuple(Picture(each.name, each.media_type, each.data, each.description) for each in body.pictures),
        )
        return await self._send(stored, provider, kept, intent, outgoing, again=not is_new)

    async def _fresh(self, stored: StoredIntegration, provider: Provider) -> Connection:
        try:
            return await connections.fresh(self.database, self.networks.seals, stored, provider, now=self.clock())
        except NetworkFailure as failure:
            raise as_domain_error(failure) from None

    def _checked(self, provider: Provider, kept: Connection, body: wire.PushRequest) -> str | None:
        """Return the target of a push whose fields are such as its network takes."""
        if body.visibility is not None and body.visibility not in provider.visibilities:
            raise _invalid(
                "visibility", f"use one of: {', '.join(provider.visibilities) or 'none, this network has none'}"
            )
        if len(body.pictures) > provider.most_pictures:
            raise _invalid("pictures", f"this network takes {provider.most_pictures} at most")
        if any(len(each.data) > self.settings.picture_bytes for each in body.pictures):
            raise _invalid("pictures", f"a picture has {self.settings.picture_bytes} bytes at most")
        targets = {each.id for each in kept.profile.targets}
        if provider.name != "facebook":
            if body.target is not None:
                raise _invalid("target", "this network has none: leave it out")
            return None
        if body.target is None and len(targets) == 1:
            return next(iter(targets))
        if body.target not in targets:
            raise _invalid("target", "name one of the connection's Pages: the network lets nobody write to a profile")
        return body.target

    async def _intended(
        self,
        principal: Principal,
        stored: StoredIntegration,
        body: wire.PushRequest,
        target: str | None,
        words: list[str],
    ) -> tuple[StoredPost, str, bool]:
        """Return the push of this entry to this place, what is to be published, and whether it was noted just now."""
        async with self.database.transaction() as tx:
            connection = tx.connection
            if await IntegrationRepository(connection, principal.user_id).get(stored.integration_id, hold=True) is None:
                raise IntegrationNotFound
            text = await self._text(connection, principal, body)
            posts = PostRepository(connection, principal.user_id)
            keys = self.networks.seals.digests(principal.user_id, *words)
            earlier = await posts.push(keys)
            if earlier is not None:
                return earlier, text, False
            now = self.clock()
            intent = StoredPost(
                post_id=uuid7(now),
                integration_id=stored.integration_id,
                provider=stored.provider,
                direction="out",
                state="intended",
                push_key=keys[0],
                text_key=settling.text_digests(self.networks.seals, principal.user_id, text)[0],
                entry_id=body.entry_id,
                sealed=self.networks.seals.seal(
                    principal.user_id, stored.provider, {"target": target, "push_key": words}
                ),
                noted_at=now,
            )
            await posts.add(intent)
            return intent, text, True

    async def _text(self, connection: asyncpg.Connection, principal: Principal, body: wire.PushRequest) -> str:
        """Return what is published: what the client gives, or with uce what the entry says."""
        held = await diary.read(connection, principal.user_id, COLLECTION, str(body.entry_id))
        if held is None or held.record.deleted:
            raise EntryNotFound
        text = body.text
        if text is None and principal.custody == "uce":
            async with keyrings.opened(self.clock, self.custodian, connection, principal, purpose=OPENING) as keys:
                content = keys.open(held.record)
            parts = (content.get("title"), content.get("body"))
            text = "\n\n".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
        if text is None:
            raise _invalid("text", "give the text that is to be published: the server cannot open the entry")
        if not text.strip():
            raise _invalid("text", "the entry has no text that could be published")
        return text

    async def _settled(
        self, stored: StoredIntegration, provider: Provider, kept: Connection, intent: StoredPost
    ) -> wire.PushResult | None:
        """Return what a push in doubt became, as far as the network tells."""
        try:
            found = await settling.settle(
                self.database, self.clock, self.networks.seals, stored, provider, kept, intent
            )
        except NetworkFailure:
            return _unknown(stored, _entry(intent), retry_after=60)
        return None if found is None else await self._as_stored(stored, intent)

    async def _send(
        self,
        stored: StoredIntegration,
        provider: Provider,
        kept: Connection,
        intent: StoredPost,
        outgoing: OutgoingPost,
        *,
        again: bool,
    ) -> wire.PushResult:
        try:
            made = await provider.push(kept.grant, kept.profile, outgoing)
        except NetworkFailure as failure:
            if failure.in_doubt or again:
                # Whatever this attempt met, the first one may have come through.
                await self._settle(stored, intent, "unknown")
                return _unknown(stored, _entry(intent), retry_after=int(SENT_AGAIN_AFTER.total_seconds()))
            await self._settle(stored, intent, "refused")
            error = as_domain_error(failure)
            if isinstance(failure, ReconnectNeeded):
                async with self.database.transaction() as tx:
                    await IntegrationRepository(tx.connection, stored.user_id).fail(
                        stored, error.code, paused_until=None, state="reconnect_required"
                    )
            raise error from None
        async with self.database.transaction() as tx:
            await settling.link(tx.connection, self.networks.seals, stored, kept, intent, made, now=self.clock())
        return await self._as_stored(stored, intent)

    async def _settle(self, stored: StoredIntegration, intent: StoredPost, state: str) -> None:
        async with self.database.transaction() as tx:
            await PostRepository(tx.connection, stored.user_id).settle(intent.post_id, state)

    async def _as_stored(self, stored: StoredIntegration, intent: StoredPost) -> wire.PushResult:
        async with self.database.transaction() as tx:
            found = await PostRepository(tx.connection, stored.user_id).get(intent.post_id)
        if found is None or found.state != "linked":
            return _unknown(stored, _entry(intent), retry_after=60)
        return self._published(stored, found)

    def _published(self, stored: StoredIntegration, push: StoredPost) -> wire.PushResult:
        kept = settling.opened_fields(self.networks.seals, stored, push)
        return wire.PushResult(
            status="published",
            provider=stored.provider,
            entry_id=_entry(push),
            external_id=kept.get("id"),
            url=kept.get("url"),
            published_at=push.settled_at,
        )


def _unknown(stored: StoredIntegration, entry_id: UUID, *, retry_after: int) -> wire.PushResult:
    return wire.PushResult(status="unknown", provider=stored.provider, entry_id=entry_id, retry_after=retry_after)


def _entry(push: StoredPost) -> UUID:
    assert push.entry_id is not None, "what goes out is of an entry"
    return push.entry_id


def _invalid(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(errors=[{"field": field, "type": "value_error", "message": message}])
