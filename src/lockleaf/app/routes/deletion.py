"""The end of an account: what the server has of it is brought here, told, and deleted there."""

from __future__ import annotations

from lockleaf.app.gathering import gathered
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
    if (await call.desk.client.privacy.tier()).current_tier != "full_sync":
        return Holdings(holds_journal=False)
    async with call.desk.without_sync():
        found = await gathered(call.desk)
    return Holdings(
        holds_journal=True,
        entries=found.entries,
        files=found.kept,
        conflicts=found.conflicts,
        inbox=found.inbox,
        lost=found.lost,
        complete=found.trouble is None,
    )


@endpoints.add("POST", "/account/delete")
async def delete_account(call: Call[Password]) -> State:
    """Delete the account and all that the server holds of it, for good; the journal stays on this device."""
    desk = call.desk
    with with_factor(desk, call.body.factor):
        async with desk.without_sync():
            if (await desk.client.privacy.tier()).current_tier == "full_sync":
                await gathered(desk)
            await desk.client.account.delete(call.body.password)
    await desk.entered()
    return await desk.state()
