"""Connecting a network, and leaving it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from lockleaf.server.features.integrations import repository as store
from lockleaf.server.features.integrations.errors import (
    AuthorizationRefused,
    IntegrationNotFound,
    IntegrationNotNamed,
    InvalidState,
    ProviderNotConfigured,
    ReconnectRequired,
    as_domain_error,
)
from lockleaf.server.features.integrations.failures import NetworkFailure, NetworkRefusal, ReconnectNeeded
from lockleaf.server.features.integrations.networks import Networks
from lockleaf.server.features.integrations.providers.protocol import AccessGrant, Provider
from lockleaf.server.features.integrations.repository import IntegrationRepository, StoredIntegration
from lockleaf.server.features.integrations.sealing import Connection, Seals, Started, Unopened
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.paging import Paging
from lockleaf.server.platform.tiers import TierRequired
from lockleaf.wire import integrations as wire

__all__ = ["callback", "connect", "disconnect", "fresh", "list_all", "opened", "the_one"]

STATE_MINUTES = 30

log = structlog.get_logger("lockleaf.integrations")


async def list_all(database: Database, networks: Networks, user_id: UUID, paging: Paging) -> wire.Integrations:
    """Return a page of the connections of an account, oldest first.

    Raises:
        InvalidCursor: the cursor is not of this account's connections.
    """
    window = paging.window("integrations", user_id, UUID)
    async with database.read_driver() as connection:
        repository = IntegrationRepository(connection, user_id)
        page, unknown = await repository.page(window), await repository.unknown()
    return wire.Integrations(
        items=tuple(shown(networks, each, unknown=unknown.get(each.integration_id, 0)) for each in page.items),
        **window.answer(page),
    )


def shown(networks: Networks, stored: StoredIntegration, *, unknown: int = 0) -> wire.Integration:
    """Return a connection as its user sees it."""
    state = stored.state
    kept: Connection | None = None
    visibilities: tuple[str, ...] = ()
    try:
        kept = networks.seals.open_connection(stored.user_id, stored.provider, stored.sealed)
        visibilities = networks.provider(stored.provider).visibilities
    except Unopened:
        state = "reconnect_required"
    except ProviderNotConfigured:
        pass
    return wire.Integration(
        id=stored.integration_id,
        provider=stored.provider,
        name=kept and kept.profile.name,
        instance=kept and kept.grant.instance,
        state="connected" if state == "connected" else "reconnect_required",
        targets=tuple(wire.Target(id=each.id, name=each.name) for each in kept.profile.targets) if kept else (),
        visibilities=visibilities,
        connected_at=stored.connected_at,
        pulled_at=stored.pulled_at,
        paused_until=stored.paused_until,
        last_error=stored.last_error,
        unknown=unknown,
    )


async def connect(
    database: Database, clock: Clock, networks: Networks, user_id: UUID, name: str, body: wire.Connect
) -> wire.Connecting:
    """Begin to connect a network: return where its user allows it.

    Raises:
        IntegrationNotFound, ProviderNotConfigured: there is no such network, or not here.
        InvalidRequest: it would send its user where the operator does not allow it.
        InvalidInstance: the instance is not to be reached.
        NetworkUnavailable, NetworkThrottled, NetworkRefused: it does not answer, or does not want us.
    """
    provider = networks.provider(name)
    redirect_uri = networks.redirect_uri(name, body.redirect_uri)
    if redirect_uri is None:
        allowed = "use one of the addresses that the operator of this server allows"
        raise InvalidRequest(errors=[{"field": "redirect_uri", "type": "value_error", "message": allowed}])
    now = clock()
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    expires_at = (now + timedelta(minutes=STATE_MINUTES)).replace(microsecond=0)
    try:
        instance = provider.connected(body.instance)
        state = networks.seals.seal_state(user_id, Started(name, instance, redirect_uri, verifier, expires_at))
        known = await _application(database, networks.seals, instance, redirect_uri)
        begun = await provider.connect(instance, redirect_uri, state, challenge, known)
    except NetworkFailure as failure:
        raise as_domain_error(failure) from None
    if instance is not None and begun.application is not None and begun.application != known:
        sealed = networks.seals.seal_application(instance, begun.application)
        await _keep_application(database, instance, redirect_uri, sealed, now)
    return wire.Connecting(authorization_url=begun.url, state=state, redirect_uri=redirect_uri, expires_at=expires_at)


async def callback(
    database: Database, clock: Clock, networks: Networks, user_id: UUID, name: str, body: wire.Callback
) -> wire.Integration:
    """Keep what a user allowed. The same account at the network takes its connection up again.

    Raises:
        IntegrationNotFound, ProviderNotConfigured: there is no such network, or not here.
        InvalidState: the state is another account's, another network's, or too old.
        AuthorizationRefused: the network does not take the code.
        TierRequired: the account keeps its journal off this server meanwhile.
        NetworkUnavailable, NetworkThrottled, NetworkRefused: it does not answer.
    """
    provider = networks.provider(name)
    try:
        started = networks.seals.open_state(user_id, body.state)
    except Unopened:
        raise InvalidState from None
    if started.provider != name or started.expires_at < clock():
        raise InvalidState
    instance, redirect_uri = started.instance, started.redirect_uri
    application = await _application(database, networks.seals, instance, redirect_uri)
    try:
        grant, profile = await provider.callback(instance, redirect_uri, body.code, started.verifier, application)
    except (ReconnectNeeded, NetworkRefusal):
        if instance is not None and application is not None:
            # Perhaps it is our application that the instance has forgotten. The next one that begins registers it anew.
            await _keep_application(database, instance, redirect_uri, None, clock())
        raise AuthorizationRefused from None
    except NetworkFailure as failure:
        raise as_domain_error(failure) from None
    sealed = networks.seals.seal_connection(user_id, name, Connection(grant, profile))
    now = clock()
    keys = networks.seals.digests(user_id, "account", name, instance or "", profile.id)
    async with database.transaction() as tx:
        account = await accounts.lock(tx.session, user_id)
        if account.privacy_tier != "full_sync":
            raise TierRequired(required="full_sync")
        stored = await IntegrationRepository(tx.connection, user_id).put(uuid7(now), name, keys, sealed, now)
    return shown(networks, stored)


async def disconnect(database: Database, networks: Networks, user_id: UUID, integration_id: UUID) -> None:
    """Leave a network: its token is revoked there if it answers, and forgotten here in any case.

    What came in and went out is remembered, so that a later connection doubles nothing.

    Raises:
        IntegrationNotFound: there is no such connection.
    """
    async with database.transaction() as tx:
        repository = IntegrationRepository(tx.connection, user_id)
        stored = await repository.get(integration_id, hold=True)
        if stored is None:
            raise IntegrationNotFound
        await repository.delete(integration_id)
    try:
        kept = networks.seals.open_connection(user_id, stored.provider, stored.sealed)
        await networks.provider(stored.provider).disconnect(kept.grant)
    except (Unopened, ProviderNotConfigured, NetworkFailure) as failure:
        log.warning("a token was not revoked at its network", provider=stored.provider, failure=failure)


async def the_one(
    database: Database, networks: Networks, user_id: UUID, provider: str, integration_id: UUID | None
) -> StoredIntegration:
    """Return the connection that is meant: the one that is named, or the account's only one to a network.

    Raises:
        IntegrationNotFound: there is no such connection.
        IntegrationNotNamed: there are several.
        ProviderNotConfigured: there is no such network here.
    """
    networks.provider(provider)
    async with database.read_driver() as connection:
        found = [each for each in await IntegrationRepository(connection, user_id).all() if each.provider == provider]
    if integration_id is not None:
        found = [each for each in found if each.integration_id == integration_id]
    if not found:
        raise IntegrationNotFound
    if len(found) > 1:
        raise IntegrationNotNamed
    return found[0]


def opened(seals: Seals, stored: StoredIntegration) -> Connection:
    """Return what is kept of a connection.

    Raises:
        ReconnectRequired: its token is no more.
    """
    if stored.state != "connected":
        raise ReconnectRequired
    try:
        return seals.open_connection(stored.user_id, stored.provider, stored.sealed)
    except Unopened:
        raise ReconnectRequired from None


async def fresh(
    database: Database, seals: Seals, stored: StoredIntegration, provider: Provider, *, now: datetime
) -> Connection:
    """Return what is kept of a connection, with a token that is good for a while: a new one where need be.

    Raises:
        ReconnectRequired: its token is no more.
        NetworkFailure: it has ended, and there is no new one.
    """
    kept = opened(seals, stored)
    grant: AccessGrant | None = None
    try:
        grant = await provider.refresh(kept.grant, now)
    except NetworkFailure as failure:
        # The one that is there is good for some days yet, and the next call asks again.
        if isinstance(failure, ReconnectNeeded) or kept.grant.expires_at is None or kept.grant.expires_at <= now:
            raise
    if grant is None:
        return kept
    kept = replace(kept, grant=grant)
    sealed = seals.seal_connection(stored.user_id, stored.provider, kept)
    async with database.transaction() as tx:
        await IntegrationRepository(tx.connection, stored.user_id).reseal(stored.integration_id, sealed)
    return kept


async def _application(
    database: Database, seals: Seals, instance: str | None, redirect_uri: str
) -> tuple[str, str] | None:
    if instance is None:
        return None
    async with database.read_driver() as connection:
        sealed = await store.application(connection, instance, redirect_uri)
    if sealed is None:
        return None
    try:
        return seals.open_application(instance, sealed)
    except Unopened:
        return None


async def _keep_application(
    database: Database, instance: str, redirect_uri: str, sealed: bytes | None, now: datetime
) -> None:
    async with database.transaction() as tx:
        await store.keep_application(tx.connection, instance, redirect_uri, sealed, now)
