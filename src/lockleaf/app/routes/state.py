"""How it stands, what happens, lock and unlock."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from lockleaf.app.models.state import State, Unlock
from lockleaf.app.routing import Call, Endpoints

__all__ = ["endpoints"]

endpoints = Endpoints()


@endpoints.add("GET", "/state", locked=True)
async def get_state(call: Call[None]) -> State:
    """Return how it stands with journal, account and synchronisation."""
    return await call.desk.state()


@endpoints.add("GET", "/events", locked=True)
async def events(call: Call[None]) -> Response:
    """Tell what happens, as server-sent events: `state`, `entries`, `sync`, `locked`."""
    stream = call.desk.events.stream()
    begun = await anext(stream, b"")
    # Only now that it is listened to: what changed in between would never be told.
    state = (await call.desk.state()).model_dump_json()

    async def told() -> AsyncIterator[bytes]:
        yield begun
        yield b"event: state\ndata: %s\n\n" % state.encode()
        async for said in stream:
            yield said

    return StreamingResponse(told(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@endpoints.add("POST", "/lock", locked=True)
async def lock(call: Call[None]) -> State:
    """Forget the keys until somebody unlocks the journal."""
    await call.desk.lock()
    return await call.desk.state()


@endpoints.add("POST", "/unlock", locked=True)
async def unlock(call: Call[Unlock]) -> State:
    """Open a locked journal."""
    await call.desk.unlock(call.body.password)
    return await call.desk.state()


@endpoints.add("POST", "/present")
async def present(call: Call[None]) -> None:
    """Say that somebody is there who reads: the header X-Idle, which every request of the page has, says since when."""
    del call


@endpoints.add("POST", "/sync")
async def sync(call: Call[None]) -> State:
    """Sync as soon as possible; the events tell what becomes of it."""
    call.desk.sync_soon()
    return await call.desk.state()
