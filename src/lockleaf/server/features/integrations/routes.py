"""``/integrations``: connections to social networks.

The scope is ``integrations``. Who publishes reads an entry to the world, so that takes ``entries:read`` as well.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from lockleaf.server.features.entries.errors import EntryNotFound
from lockleaf.server.features.inbox.errors import InboxFull, RecipientRequired
from lockleaf.server.features.integrations import connections
from lockleaf.server.features.integrations.errors import (
    AuthorizationRefused,
    IntegrationNotFound,
    IntegrationNotNamed,
    InvalidInstance,
    InvalidState,
    NetworkRefused,
    NetworkThrottled,
    NetworkUnavailable,
    ProviderNotConfigured,
    ReconnectRequired,
)
from lockleaf.server.features.integrations.networks import Networks
from lockleaf.server.features.integrations.publishing import Publisher
from lockleaf.server.features.integrations.pulling import PostPuller
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.custody.errors import ContentUnreadable
from lockleaf.server.identity.errors import OF_CALLERS
from lockleaf.server.identity.principal import Principal, require_scope
from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import InvalidCursor
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.bodies import Parsed
from lockleaf.server.platform.http.dependencies import PartsOf
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import Paged
from lockleaf.server.platform.http.routing import Router, takes
from lockleaf.server.platform.settings import IntegrationSettings
from lockleaf.server.records.quota import QuotaExceeded
from lockleaf.wire import integrations as wire

__all__ = ["router"]

router = Router(prefix="/integrations", tags=["integrations"])

_NETWORK = (NetworkThrottled, NetworkUnavailable, NetworkRefused)
_NAMED = (IntegrationNotFound, ProviderNotConfigured)

Reader = Annotated[Principal, Depends(caller("integrations", write=False, tier="full_sync"))]
Writer = Annotated[Principal, Depends(caller("integrations", write=True, tier="full_sync"))]
ConnectBody = Annotated[wire.Connect, Depends(Parsed(wire.Connect, optional=True))]
CallbackBody = Annotated[wire.Callback, Depends(Parsed(wire.Callback))]
PushBody = Annotated[wire.PushRequest, Depends(Parsed(wire.PushRequest))]
PullBody = Annotated[wire.Pull, Depends(Parsed(wire.Pull, optional=True))]
ProviderName = Annotated[str, Path(max_length=64, description="`facebook` or `mastodon`.")]


@router.get("", summary="List connections", responses=problems(*OF_CALLERS, InvalidRequest, InvalidCursor))
async def list_all(principal: Reader, parts: PartsOf, paging: Paged) -> wire.Integrations:
    """Give the account's connections, and what they need."""
    return await connections.list_all(parts[Database], parts[Networks], principal.user_id, paging)


@router.delete(
    "/{integration_id}",
    status_code=204,
    summary="Leave a network",
    responses=problems(*OF_CALLERS, InvalidRequest, IntegrationNotFound),
)
async def disconnect(principal: Writer, parts: PartsOf, integration_id: UUID) -> None:
    """Forget a connection's token, and have the network revoke it. What was imported and published stays."""
    await connections.disconnect(parts[Database], parts[Networks], principal.user_id, integration_id)


@router.post(
    "/{provider}/connect",
    summary="Begin to connect a network",
    responses=problems(*OF_CALLERS, InvalidRequest, *_NAMED, InvalidInstance, *_NETWORK),
)
async def connect(principal: Writer, parts: PartsOf, provider: ProviderName, body: ConnectBody) -> wire.Connecting:
    """Give the address at which the user allows it."""
    return await connections.connect(parts[Database], parts[Clock], parts[Networks], principal.user_id, provider, body)


@router.post(
    "/{provider}/callback",
    summary="Finish connecting a network",
    responses=problems(*OF_CALLERS, InvalidRequest, *_NAMED, InvalidState, AuthorizationRefused, *_NETWORK[:2]),
)
async def callback(principal: Writer, parts: PartsOf, provider: ProviderName, body: CallbackBody) -> wire.Integration:
    """Keep what the user allowed, by the code that the network gave them."""
    return await connections.callback(parts[Database], parts[Clock], parts[Networks], principal.user_id, provider, body)


@router.post(
    "/{provider}/push",
    summary="Publish an entry",
    responses=problems(
        *OF_CALLERS,
        InvalidRequest,
        *_NAMED,
        IntegrationNotNamed,
        EntryNotFound,
        ContentUnreadable,
        ReconnectRequired,
        *_NETWORK,
    ),
)
@takes(lambda settings: settings.integrations.push_body_bytes)
async def push(principal: Writer, parts: PartsOf, provider: ProviderName, body: PushBody) -> wire.PushResult:
    """Publish an entry, once. Sent again it gives what became of it."""
    require_scope(principal, "entries", write=False)
    return await parts[Publisher].push(principal, provider, body)


@router.post(
    "/{provider}/pull",
    summary="Take over posts",
    responses=problems(
        *OF_CALLERS,
        InvalidRequest,
        *_NAMED,
        IntegrationNotNamed,
        ReconnectRequired,
        RecipientRequired,
        InboxFull,
        QuotaExceeded,
        StoreUnavailable,
        *_NETWORK,
    ),
)
async def pull(principal: Writer, parts: PartsOf, provider: ProviderName, body: PullBody) -> wire.Pulled:
    """Put new posts into the inbox, some pages of them. It is done every hour anyway."""
    stored = await connections.the_one(
        parts[Database], parts[Networks], principal.user_id, provider, body.integration_id
    )
    return await parts[PostPuller].pull(stored, pages=parts[IntegrationSettings].pages)
