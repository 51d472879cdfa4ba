"""The account: made, entered and left; devices, link codes, password, recovery codes, privacy."""

from __future__ import annotations

import socket
from uuid import UUID

from lockleaf import client as sdk
from lockleaf.app.models.account import (
    ChangePassword,
    Codes,
    Devices,
    LinkCode,
    Login,
    LoginByLink,
    Password,
    Recover,
    Register,
    SignedIn,
)
from lockleaf.app.models.state import State
from lockleaf.app.problems import Refused
from lockleaf.app.proving import with_factor
from lockleaf.app.qr import drawn
from lockleaf.app.routing import Call, Endpoints

__all__ = ["endpoints"]

endpoints = Endpoints()


def _device_name() -> str:
    return socket.gethostname() or "this device"


@endpoints.add("POST", "/account/register", status=201)
async def register(call: Call[Register]) -> Codes:
    """Make an account; what was written here before stays, and is in it."""
    given = call.body
    codes = await call.desk.client.account.register(
        given.server,
        given.name,
        given.password,
        device_name=_device_name(),
        display_name=given.display_name,
        custody=given.custody,
        privacy_tier=given.tier,
        invitation=given.invitation,
        allow_weak_password=given.allow_weak_password,
    )
    await call.desk.entered()
    return Codes(recovery_codes=tuple(codes))


@endpoints.add("POST", "/account/login")
async def login(call: Call[Login]) -> State:
    """Log in to an account that is there."""
    given = call.body
    with with_factor(call.desk, given.factor):
        await call.desk.client.account.login(
            given.server, given.name, given.password, device_name=_device_name(), custody=given.custody
        )
    await call.desk.entered()
    return await call.desk.state()


@endpoints.add("POST", "/account/login-by-link")
async def login_by_link(call: Call[LoginByLink]) -> State:
    """Log in by the link code of another device."""
    given = call.body
    code = sdk.parse_link_code(given.code)
    with with_factor(call.desk, given.factor):
        await call.desk.client.account.login(
            code.server, given.name, given.password, device_name=_device_name(), link=code
        )
    await call.desk.entered()
    return await call.desk.state()


@endpoints.add("POST", "/account/recover")
async def recover(call: Call[Recover]) -> State:
    """Set a new password with a recovery code, and log in; the code is spent, and other devices are signed out."""
    given = call.body
    with with_factor(call.desk, given.factor):
        await call.desk.client.account.recover(
            given.server,
            given.name,
            given.code,
            given.new_password,
            device_name=_device_name(),
            custody=given.custody,
            allow_weak_password=given.allow_weak_password,
        )
    await call.desk.entered()
    return await call.desk.state()


@endpoints.add("POST", "/account/logout")
async def logout(call: Call[None]) -> State:
    """End the session; the journal stays here, sealed, for the next login."""
    await call.desk.leave()
    return await call.desk.state()


@endpoints.add("POST", "/account/recovery-codes")
async def new_recovery_codes(call: Call[Password]) -> Codes:
    """Replace the recovery codes by ten new ones; other devices are signed out."""
    with with_factor(call.desk, call.body.factor):
        codes = await call.desk.client.account.new_recovery_codes(call.body.password)
    return Codes(recovery_codes=tuple(codes))


@endpoints.add("POST", "/account/password")
async def change_password(call: Call[ChangePassword]) -> State:
    """Change the password; other devices are signed out."""
    given = call.body
    with with_factor(call.desk, given.factor):
        await call.desk.client.account.change_password(
            given.password, given.new_password, allow_weak_password=given.allow_weak_password
        )
    return await call.desk.state()


@endpoints.add("GET", "/devices")
async def list_devices(call: Call[None]) -> Devices:
    """Return the devices that are signed in."""
    sessions = await call.desk.client.account.sessions()
    return Devices(
        devices=tuple(
            SignedIn(
                id=str(each.id),
                name=each.device_name,
                current=each.current,
                created_at=each.created_at,
                last_seen=each.last_used_at,
            )
            for each in sessions
        )
    )


@endpoints.add("POST", "/devices/{session_id}/revoke")
async def revoke_device(call: Call[None]) -> None:
    """Sign a device out at once."""
    try:
        session_id = UUID(call.path["session_id"])
    except ValueError:
        raise Refused(404, "not_found", "There is no such device.") from None
    await call.desk.client.account.revoke(session_id)


@endpoints.add("POST", "/link-code")
async def make_link_code(call: Call[None]) -> LinkCode:
    """Return a code for another device, as text and as a picture to be scanned."""
    code = await call.desk.client.account.link_code()
    return LinkCode(code=code, svg=drawn(code))
