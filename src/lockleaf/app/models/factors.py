"""Second factors: what the server asks for beside the password."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from lockleaf.app.models.account import Line, Password
from lockleaf.app.models.base import Answer, Body

__all__ = ["AddApp", "AddedApp", "ConfirmApp", "FactorCodes", "FactorView", "Factors"]


class FactorView(Answer):
    """A second factor of the account."""

    id: str
    kind: Literal["totp", "passkey"]
    name: str | None
    created_at: datetime
    last_used_at: datetime | None


class Factors(Answer):
    """All of them. ``wrong_codes``: those that somebody sent who knew the password, since the last right one."""

    factors: tuple[FactorView, ...]
    codes_left: int
    wrong_codes: int


class AddApp(Password):
    """An authenticator app that is to be added."""

    name: Annotated[str, Field(max_length=100)] = ""


class AddedApp(Answer):
    """What goes into the app, once: as text, and as a picture to be scanned."""

    secret: str
    svg: str


class ConfirmApp(Body):
    """What the app shows."""

    code: Line


class FactorCodes(Answer):
    """Factor codes, shown once; none where the account had its factor already."""

    codes: tuple[str, ...]
