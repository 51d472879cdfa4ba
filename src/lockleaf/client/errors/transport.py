"""The way to the server."""

from __future__ import annotations

from lockleaf.client.errors.base import LockleafError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "ArchiveNotBegun",
    "ConnectionBroken",
    "InsecureServer",
    "InvalidAnswer",
    "InvalidCertificates",
    "InvalidProxy",
    "InvalidServerAddress",
    "NotOurServer",
    "PlainHttpServer",
    "ProxyRefused",
    "ProxyUnreachable",
    "ServerUnreachable",
    "TooLargeForProxy",
    "TransportError",
]


class TransportError(LockleafError):
    """The conversation with the server failed."""

    exit_code = ExitCode.UNREACHABLE


class InvalidServerAddress(TransportError):
    """The server's address is not a URL such as https://journal.example.org."""

    exit_code = ExitCode.USAGE


class ServerUnreachable(TransportError):
    """The server cannot be reached. What you wrote is kept on this device; check the address and the network."""


class ConnectionBroken(ServerUnreachable):
    """The connection broke while a large request was on its way. What you wrote is kept on this device; try again.

    If it breaks each time, something on the way takes no requests of this size: a proxy before the server, for example.
    """

    def __init__(self, detail: str | None = None, *, size: int = 0) -> None:
        super().__init__(detail)
        self.size = size


class PlainHttpServer(ServerUnreachable):
    """The address begins with https://, but what answers at this port speaks no https. Nothing was sent to it.

    For a server on this machine write http:// instead. Elsewhere ask whoever runs it for its https:// address.
    """


class ProxyUnreachable(ServerUnreachable):
    """The proxy that this device is told to use cannot be reached, so the server cannot either.

    What you wrote is kept on this device. Check the proxy, or remove the environment variable named here.
    """


class ProxyRefused(ServerUnreachable):
    """The proxy that this device is told to use does not connect it to the server.

    What you wrote is kept on this device. With status 407 it wants a user name and password: put them into the
    environment variable named here, as in http://user:password@proxy.example:3128. With others, ask who runs it.
    """


class InvalidProxy(TransportError):
    """The proxy that this device is told to use has an address that makes no sense, or is of a kind not supported.

    Correct or remove the environment variable named here: http://, https://, socks5:// and socks5h:// work.
    """


class InvalidCertificates(TransportError):
    """The trusted certificates that this device is told to use cannot be read, so no server can be verified.

    Correct or remove the environment variable named here.
    """


class InvalidAnswer(TransportError):
    """The server's answer is not one that a Lockleaf server gives. Check the server's URL, and proxies on the way."""


class NotOurServer(InvalidAnswer):
    """Something between this device and the server answered in its place, so nothing was done.

    It may be the sign-in page of a network, or a proxy. Open the server's address in a browser, sign in if you are
    asked to, and try again. If it shows another site, check the address.
    """


class TooLargeForProxy(TransportError):
    """Something between this device and the server takes no request of this size. What you wrote is kept here.

    Whoever runs the server raises the limit of the proxy before it: in nginx, client_max_body_size.
    """

    def __init__(self, detail: str | None = None, *, size: int = 0) -> None:
        super().__init__(detail)
        self.size = size


class ArchiveNotBegun(TransportError):
    """The server has not begun to make the archive. Nothing was written; it is still to be made, so ask again later.

    If that lasts, no worker runs beside the server: its operator starts one with `lockleaf worker`.
    """


class InsecureServer(TransportError):
    """The server's address begins with http://, so anybody on the way could read the session and change answers.

    Use https://. Plain http is for this machine alone (localhost), unless you allow it explicitly.
    """

    exit_code = ExitCode.USAGE
    hint = "--allow-insecure, if you mean it"
