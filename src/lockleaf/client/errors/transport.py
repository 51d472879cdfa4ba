"""The way to the server."""

from __future__ import annotations

from lockleaf.client.errors.base import LockleafError

__all__ = [
    "ArchiveNotBegun",
    "InsecureServer",
    "InvalidAnswer",
    "InvalidServerAddress",
    "ServerUnreachable",
    "TransportError",
]


class TransportError(LockleafError):
    """The conversation with the server failed."""


class InvalidServerAddress(TransportError):
    """The server's address is not a URL such as https://journal.example.org."""


class ServerUnreachable(TransportError):
    """The server cannot be reached. What you wrote is kept on this device; check the address and the network."""


class InvalidAnswer(TransportError):
    """The server's answer is not one that a Lockleaf server gives. Check the server's URL, and proxies on the way."""


class ArchiveNotBegun(TransportError):
    """The server has not begun to make the archive. Nothing was written; it is still to be made, so ask again later.

    If that lasts, no worker runs beside the server: its operator starts one with `lockleaf worker`.
    """


class InsecureServer(TransportError):
    """The server's address begins with http://, so anybody on the way could read the session and change answers.

    Use https://. Plain http is for this machine alone (localhost), unless you allow it explicitly.
    """
