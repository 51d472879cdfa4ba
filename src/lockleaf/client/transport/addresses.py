"""Which server addresses a client talks to."""

from __future__ import annotations

import ipaddress
import re
import socket

import httpx

from lockleaf.client.errors import InsecureServer, InvalidServerAddress

__all__ = ["is_loopback", "may_be_this_machine", "names_host", "origin_of", "server_address", "store_origin"]

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", re.ASCII)  # names behind IDNA, or an IPv6 address


def server_address(text: str, *, allow_insecure: bool = False) -> str:
    """Return the server's URL without a slash at its end.

    Args:
        text: a URL such as ``https://journal.example.org`` or ``http://localhost:8000``; a path before the API's is
            kept.
        allow_insecure: plain http to other machines is accepted.

    Raises:
        InvalidServerAddress: no such URL, or one with a user, a query or a fragment.
        InsecureServer: plain http to another machine.
    """
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError):
        raise InvalidServerAddress from None
    if url.scheme not in {"http", "https"} or url.userinfo or url.query or url.fragment:
        raise InvalidServerAddress
    if not names_host(url):
        raise InvalidServerAddress
    if url.scheme == "http" and not allow_insecure and not is_loopback(url.host):
        raise InsecureServer
    return str(url).rstrip("/")


def origin_of(url: httpx.URL) -> str:
    """Return scheme, host and port of ``url``, as two addresses have them in common or not."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def store_origin(text: str, *, allow_insecure: bool = False) -> str:
    """Return the origin of a store of attachments, such as ``https://files.example.org``.

    Raises:
        InvalidServerAddress: it is not an address, or has a path.
        InsecureServer: plain http to another machine.
    """
    url = httpx.URL(server_address(text, allow_insecure=allow_insecure))
    if url.path not in ("", "/"):
        raise InvalidServerAddress
    return origin_of(url)


def names_host(url: httpx.URL) -> bool:
    """Return whether host and port of ``url`` are such: its parser takes more than a resolver does."""
    return _HOST.fullmatch(url.raw_host.decode("ascii")) is not None and 0 < (url.port or 1) < 2**16


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine: ``localhost`` (RFC 6761, section 6.3) or a loopback address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def may_be_this_machine(host: str) -> bool:
    """Return whether ``host`` leads to this machine in any spelling that a resolver takes, for whoever is to avoid it.

    Such as ``127.1``, ``0.0.0.0``, ``localhost.`` and ``::ffff:127.0.0.1``, of which `is_loopback`, by which plain http
    is allowed, says no.
    """
    host = host.strip("[]").rstrip(".").lower()
    if is_loopback(host):
        return True
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(host)
    except ValueError:
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any(each.is_loopback or each.is_unspecified for each in (address, mapped) if each is not None)
