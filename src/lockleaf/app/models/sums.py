"""Encrypted sums of the server beside the numbers of this device."""

from __future__ import annotations

from typing import Literal

from lockleaf.app.models.base import Answer, Body

__all__ = ["EncryptedSums", "KeepSums", "Side", "Summed"]


class Side(Answer):
    """What all values of a metric come to. ``error``: by how much the average is off at most."""

    count: int
    average: float
    error: float


class Summed(Answer):
    """A metric, as the server's sums have it and as the entries on this device do; None where there is none."""

    name: str
    server: Side | None
    device: Side | None


class EncryptedSums(Answer):
    """The server's sums beside this device's.

    Attributes:
        state: whether there are any: ``shown``, or why not.
        message: what went wrong, where something did.
        pending: changes on this device that the server does not have yet.
    """

    state: Literal["shown", "no_account", "off", "not_installed", "tier", "failed"]
    message: str | None = None
    pending: int = 0
    metrics: tuple[Summed, ...] = ()


class KeepSums(Body):
    """Whether the server is to keep sums, for all devices of the account."""

    on: bool
