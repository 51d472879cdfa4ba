"""The account: made, entered, left, and what protects it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from lockleaf.app.models.base import Answer, Body

__all__ = [
    "ChangePassword",
    "Codes",
    "Devices",
    "LinkCode",
    "Login",
    "LoginByLink",
    "Password",
    "Recover",
    "Register",
    "SignedIn",
    "TierChange",
    "TierChanged",
]

Secret = Annotated[str, Field(min_length=1, max_length=1024)]
Line = Annotated[str, Field(min_length=1, max_length=1000)]
Tier = Literal["local_only", "analytics_sync", "full_sync"]


class Register(Body):
    """A new account; the journal that is here becomes its journal."""

    server: Line
    name: Line
    password: Secret
    display_name: Line | None = None
    custody: Literal["e2e", "uce"] = "e2e"
    tier: Tier = "full_sync"
    invitation: Line | None = None
    allow_weak_password: bool = False


class Login(Body):
    """An account that is there. ``factor``: the code of its second factor, where it has one."""

    server: Line
    name: Line
    password: Secret
    custody: Literal["e2e", "uce"] | None = None
    factor: Line | None = None


class LoginByLink(Body):
    """An account by the link code of another of its devices."""

    code: Annotated[str, Field(min_length=1, max_length=10_000)]
    name: Line
    password: Secret
    factor: Line | None = None


class Recover(Body):
    """A recovery code, and the password that takes the lost one's place."""

    server: Line
    name: Line
    code: Line
    new_password: Secret
    custody: Literal["e2e", "uce"] | None = None
    allow_weak_password: bool = False
    factor: Line | None = None


class Password(Body):
    """The present password."""

    password: Secret
    factor: Line | None = None


class ChangePassword(Body):
    """The present password, and what takes its place."""

    password: Secret
    new_password: Secret
    allow_weak_password: bool = False
    factor: Line | None = None


class Codes(Answer):
    """Recovery codes, shown once."""

    recovery_codes: tuple[str, ...]


class SignedIn(Answer):
    """A device that is signed in."""

    id: str
    name: str | None
    current: bool
    created_at: datetime
    last_seen: datetime


class Devices(Answer):
    """All devices, the one that was used last first."""

    devices: tuple[SignedIn, ...]


class LinkCode(Answer):
    """What another device takes in to be held to what this one verified. No secret is in it."""

    code: str
    svg: str


class TierChange(Body):
    """How much the server holds. ``dry_run``: only what would be deleted there."""

    tier: Tier
    dry_run: bool = False
    password: Secret | None = None
    factor: Line | None = None


class TierChanged(Answer):
    """The tier, and how many of each the server deleted, or would; None: as many as there are.

    ``lost``: attached files that only the server has, and that could not be fetched.
    """

    tier: Tier
    deletes: dict[str, int | None]
    lost: int = 0
