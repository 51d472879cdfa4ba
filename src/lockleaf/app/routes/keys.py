"""Keys: changed when a device is lost, with what is sealed under them."""

from __future__ import annotations

from lockleaf.app.models.account import Codes
from lockleaf.app.models.keys import Keys, Rotate, SealedFiles
from lockleaf.app.proving import with_factor
from lockleaf.app.routing import Call, Endpoints

__all__ = ["endpoints"]

endpoints = Endpoints()


@endpoints.add("GET", "/keys")
async def get_keys(call: Call[None]) -> Keys:
    """Return whether everything is sealed under the newest keys, as far as this device knows."""
    client = call.desk.client
    return Keys(sealed_again=client.sync.sealed_again, files_unfinished=await client.media.is_rotation_unfinished())


@endpoints.add("POST", "/keys/rotate")
async def rotate_keys(call: Call[Rotate]) -> Codes:
    """Take fresh keys; other devices are signed out, and the syncs that follow seal everything again."""
    given, desk = call.body, call.desk
    with with_factor(desk, given.factor):
        async with desk.without_sync():
            codes = await desk.client.account.rotate_keyring(
                given.password,
                given.new_password,
                media=given.files,
                allow_weak_password=given.allow_weak_password,
            )
    await desk.tell_state()
    return Codes(recovery_codes=tuple(codes))


@endpoints.add("POST", "/keys/files")
async def seal_files(call: Call[None]) -> SealedFiles:
    """Seal attached files anew, or go on with it after an interruption; answers when it is through."""
    desk = call.desk
    async with desk.without_sync():
        done = await desk.client.media.seal_anew()
    await desk.tell_state()
    if done.trouble is not None:
        raise done.trouble
    return SealedFiles(sealed=done.sealed, left=done.left, missing=len(done.missing))
