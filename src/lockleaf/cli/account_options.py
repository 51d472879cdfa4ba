"""What the commands that enter an account share: their options, and what they say of the account in JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from lockleaf import client as sdk

__all__ = ["AllowInsecure", "CustodyChoice", "DeviceName", "LoginName", "Server", "who"]

Server = Annotated[str | None, typer.Option("--server", "-s", help="The server's URL.", metavar="URL")]
LoginName = Annotated[
    str | None,
    typer.Option(
        "--email",
        "-e",
        "--username",
        "-u",
        help="The account's email address, or its name: one without an @.",
        metavar="EMAIL|NAME",
    ),
]
DeviceName = Annotated[
    str | None,
    typer.Option("--device-name", help="How this device is shown on your others.", metavar="NAME"),
]
AllowInsecure = Annotated[
    bool, typer.Option("--allow-insecure", help="Accept plain http to another machine: others can then listen.")
]
CustodyChoice = Annotated[
    Literal["e2e", "uce"] | None,
    typer.Option(
        "--custody",
        help="e2e: the server can never read. uce: it gets your password, and can read while a session is in use.",
    ),
]


def who(profile: sdk.Profile | None) -> dict[str, Any]:
    """Return which account this device is logged in to, and as what, for JSON."""
    assert profile is not None
    if profile.is_local:
        return {"server": None, "email": None, "username": None, "device_name": profile.device_name}
    return {
        "server": profile.server,
        **profile.identification,
        "user_id": str(profile.user_id),
        "device_id": profile.device_id,
        "device_name": profile.device_name,
        "encryption_tier": profile.custody,
    }
