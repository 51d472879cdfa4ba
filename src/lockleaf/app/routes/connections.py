"""Connections to social networks: listed, begun and finished, asked for new posts, and left."""

from __future__ import annotations

import inspect
from urllib.parse import urlsplit
from uuid import UUID

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.models.connections import (
    BeginConnection,
    BegunConnection,
    Connections,
    ConnectionView,
    FinishConnection,
    NetworkPage,
    PulledPosts,
)
from lockleaf.app.problems import Refused
from lockleaf.app.routing import Call, Endpoints
from lockleaf.app.views import web_address

__all__ = ["connection_of", "endpoints"]

endpoints = Endpoints()


@endpoints.add("GET", "/connections")
async def list_connections(call: Call[None]) -> Connections:
    """Return the networks that are connected to the account, and what they need."""
    return await _listed(call.desk)


@endpoints.add("POST", "/connections")
async def begin_connection(call: Call[BeginConnection]) -> BegunConnection:
    """Begin to connect a network, in place of one that was begun before; it counts once its code came."""
    wanted = call.body
    begun = await call.desk.client.networks.connect(wanted.network, instance=wanted.instance)
    address = web_address(begun.authorization_url)
    if address is None:
        raise Refused(502, "no_web_address", "The server named an invalid address for the network. Nothing was begun.")
    call.desk.connecting = (wanted.network, begun)
    return BegunConnection(address=address, host=urlsplit(address).netloc, expires_at=begun.expires_at)


@endpoints.add("POST", "/connections/finish")
async def finish_connection(call: Call[FinishConnection]) -> ConnectionView:
    """Keep what its user allowed at the network."""
    if call.desk.connecting is None:
        raise Refused(409, "nothing_begun", "No network is being connected any more. Begin again.")
    network, begun = call.desk.connecting
    code = sdk.authorization_code(call.body.code, begun.state)
    made = await call.desk.client.networks.finish(network, state=begun.state, code=code)
    call.desk.connecting = None
    return _view(made)


@endpoints.add("POST", "/connections/{connection_id}/pull")
async def pull_posts(call: Call[None]) -> PulledPosts:
    """Have the server put new posts into the inbox now; a sync brings them here."""
    found = await connection_of(call.desk, call.path["connection_id"])
    done = await call.desk.client.networks.pull(found.provider, found.id)
    call.desk.sync_soon()
    return PulledPosts(added=done.added, complete=done.complete)


@endpoints.add("DELETE", "/connections/{connection_id}")
async def remove_connection(call: Call[None]) -> Connections:
    """Leave a network. What was imported and published stays."""
    found = await connection_of(call.desk, call.path["connection_id"])
    await call.desk.client.networks.disconnect(found.id)
    return await _listed(call.desk)


async def connection_of(desk: Desk, connection_id: str | UUID) -> sdk.Integration:
    """Return a connection.

    Raises:
        Refused: there is no such connection.
    """
    for each in await desk.client.networks.list():
        if str(each.id) == str(connection_id):
            return each
    raise Refused(404, "not_found", "There is no such connection any more.")


async def _listed(desk: Desk) -> Connections:
    return Connections(connections=tuple(map(_view, await desk.client.networks.list())))


def _view(found: sdk.Integration) -> ConnectionView:
    return ConnectionView(
        id=str(found.id),
        network=found.provider,
        name=found.name or "",
        connected=found.state == "connected",
        trouble=None if found.last_error is None else _sentence(found.last_error),
        pages=tuple(NetworkPage(id=each.id, name=each.name) for each in found.targets),
        visibilities=found.visibilities,
        connected_at=found.connected_at,
        pulled_at=found.pulled_at,
        paused_until=found.paused_until,
        unknown=found.unknown,
    )


def _sentence(code: str) -> str:
    """Return what the code of an error means, as the SDK says it."""
    kind = sdk.ApiError.by_code.get(code)
    return " ".join((inspect.getdoc(kind) or "").split()) if kind else "The last look at the network failed."
