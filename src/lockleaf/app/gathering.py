"""What only the server has, brought here before it goes there."""

from __future__ import annotations

from lockleaf import client as sdk
from lockleaf.app.desk import Desk

__all__ = ["gathered"]


async def gathered(desk: Desk) -> sdk.Gathered:
    """Fetch it, and tell the pages of what came; see `sdk.gather`.

    Within `Desk.without_sync`, together with what takes it from the server: a sync in between would send the files
    again, and let go of them here.
    """
    found = await sdk.gather(desk.client)
    await desk.catch_up()
    return found
