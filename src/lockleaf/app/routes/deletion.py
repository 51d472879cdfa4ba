"""The end of an account: what the server has of it is brought here, told, and deleted there."""

from __future__ import annotations

from lockleaf import client as sdk
from lockleaf.app.models.account import Password
from lockleaf.app.models.deletion import Holdings
from lockleaf.app.models.state import State
from lockleaf.app.proving import with_factor
from lockleaf.app.routing import Call, Endpoints

__all__ = ["endpoints"]

endpoints = Endpoints()


@endpoints.add("POST", "/account/holdings")
async def gather(call: Call[None]) -> Holdings:
    """Fetch what only the server has, and return what it would delete."""
    desk, complete = call.desk, True
    client = desk.client
    if (await client.privacy.tier()).current_tier != "full_sync":
        return Holdings(holds_journal=False)
    async with desk.without_sync():
        try:
            await client.sync()
        except sdk.TransportError:
            raise
        except sdk.LockleafError:
            complete = False  # as much as is here is told
        kept = await client.media.keep_all()
    await desk.catch_up()
    return Holdings(
        holds_journal=True,
        entries=await client.journal.count(),
        files=kept.kept,
        conflicts=len(await client.journal.conflicts()),
        inbox=await client.inbox.count(),
        lost=sum(not each.waiting for each in await client.media.list()),
        complete=complete,
    )


@endpoints.add("POST", "/account/delete")
async def delete_account(call: Call[Password]) -> State:
    """Delete the account and all that the server holds of it, for good; the journal stays on this device."""
    desk = call.desk
    with with_factor(desk, call.body.factor):
        async with desk.without_sync():
            await desk.client.account.delete(call.body.password)
    await desk.entered()
    return await desk.state()
