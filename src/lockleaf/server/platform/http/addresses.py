"""Which address a request comes from, past the proxies that an operator named, and no others.

Whoever calls may write anything into `X-Forwarded-For`. What a proxy adds stands at its end, so the list is read from
there, for as long as it names proxies that are known. Of two headers that could say it one alone is read: a proxy that
sets the one passes the other on, as its client wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.types import Scope

from lockleaf.server.platform.settings import ProxySettings

__all__ = ["UNKNOWN", "Proxies", "rated_as"]

UNKNOWN = "unknown"
"""Stands for an address that there is not, as behind a socket of this machine."""
MOST_PROXIES = 16
"""Behind each other; nobody has as many, and nobody else may have a list gone through."""
SITE_BITS = 64
"""Of an address of IPv6 the part that a customer gets; they choose the rest themselves, as often as they like."""
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"\\]*)"|([^\s;"]*))\s*(?=;|$)', re.IGNORECASE)

Address = IPv4Address | IPv6Address


class Proxies:
    """The proxies that are believed.

    Args:
        settings: which they are, and which header they set.
    """

    def __init__(self, settings: ProxySettings) -> None:
        self._networks = tuple(ip_network(each) for each in settings.trusted)
        self._header = settings.header.encode()

    def client(self, scope: Scope) -> str:
        """Return the address of whoever sent a request, in its shortest form."""
        peer = scope.get("client")
        if peer is None:
            return UNKNOWN
        address = _parsed(peer[0])
        if address is None or not self._networks:
            return _shortest(peer[0])
        if self._knows(address):
            for told in self._told(scope):
                further = _parsed(told)
                if further is None:
                    break
                address = further
                if not self._knows(address):
                    break
        return str(address)

    def _knows(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)

    def _told(self, scope: Scope) -> Iterator[str]:
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == self._header]
        hops = ",".join(lines).rsplit(",", MOST_PROXIES)
        for hop in reversed(hops[-MOST_PROXIES:]):
            yield _of_forwarded(hop) if self._header == b"forwarded" else hop.strip()


def _of_forwarded(hop: str) -> str:
    """Return whom an element of `Forwarded` (RFC 7239) is for; empty where it does not say it once."""
    found = _FOR.findall(hop.strip())
    return found[0][0] or found[0][1] if len(found) == 1 else ""


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    """Return an address as proxies write them, with a port or without; None for a name, or nothing that is one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4096)
def _shortest(text: str) -> str:
    return str(_parsed(text) or UNKNOWN)


@lru_cache(maxsize=4096)
def rated_as(address: str) -> str:
    """Return what is counted together with an address: itself, or the /64 of one of IPv6."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), SITE_BITS), strict=False))
    return address
