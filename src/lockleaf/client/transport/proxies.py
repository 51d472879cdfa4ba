"""Which proxy leads to an address, by what the environment says of proxies."""

from __future__ import annotations

import ipaddress
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from lockleaf.client.errors import InvalidProxy
from lockleaf.client.transport.addresses import may_be_this_machine, names_host

__all__ = ["Proxy", "proxy_for"]

_SYSTEM = "the system's settings"
_KINDS = {"http": "http", "https": "https", "socks5": "socks5", "socks5h": "socks5h", "socks": "socks5h"}
"""Desktops write ``socks://`` and mean SOCKS 5; the proxy resolves the name, as it does for ``socks5h``."""
_SOCKS_PORT = 1080


@dataclass(frozen=True)
class Proxy:
    """A proxy, and where its address comes from.

    Attributes:
        url: with the user's name and password, if it wants them.
        named_by: the environment variable, for a person to find it.
    """

    url: httpx.URL
    named_by: str

    def __repr__(self) -> str:
        """Name where it comes from alone: the address may carry a password."""
        return f"Proxy({self.named_by})"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS 5."""
        return self.url.scheme.startswith("socks")


def proxy_for(url: httpx.URL, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy for ``url``, None where it is reached directly.

    ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` count, in lower case before upper case; where none
    of them is set, the system's settings (macOS, Windows). This machine's own addresses never go through one.

    Args:
        url: of a request.
        environment: in place of the process's own.

    Raises:
        InvalidProxy: the one that is named for this address is invalid.
    """
    given = os.environ if environment is None else environment
    if may_be_this_machine(url.host):
        return None
    found = _named(f"{url.scheme}_proxy", given) or _named("all_proxy", given)
    if found is None:
        if environment is not None or any(_named(f"{kind}_proxy", given) for kind in ("http", "https")):
            return None
        found = _of_system(url)
    elif _excluded(url, (_named("no_proxy", given) or ("", ""))[0]):
        return None
    return None if found is None else _parsed(*found)


def _named(name: str, given: Mapping[str, str]) -> tuple[str, str] | None:
    """Return a variable's value and its spelling; one that is empty is not set."""
    for spelling in (name, name.upper()):
        if value := given.get(spelling, "").strip():
            return value, spelling
    return None


def _of_system(url: httpx.URL) -> tuple[str, str] | None:
    proxies = urllib.request.getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    return (found, _SYSTEM) if found and not urllib.request.proxy_bypass(url.host) else None


def _parsed(text: str, named_by: str) -> Proxy:
    """Return the proxy that ``text`` names; without a scheme it speaks HTTP."""
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
        kind = _KINDS.get(url.scheme)
        if kind is None or not url.host or not names_host(url):
            raise InvalidProxy(named_by)
        url = url.copy_with(scheme=kind, path="/", query=None, fragment=None)
        if kind.startswith("socks") and url.port is None:
            url = url.copy_with(port=_SOCKS_PORT)
    except (httpx.InvalidURL, ValueError):
        raise InvalidProxy(named_by) from None
    return Proxy(url, named_by)


def _excluded(url: httpx.URL, exceptions: str) -> bool:
    """Return whether ``NO_PROXY`` has the address: a name with what is below it, an address, a network, or all."""
    host = url.host.rstrip(".").lower()
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return any(_fits(host, port, each) for each in exceptions.replace(",", " ").lower().split())


def _fits(host: str, port: int | None, exception: str) -> bool:
    if exception == "*":
        return True
    name = exception.partition("://")[2] or exception
    if (network := _network(name)) is not None:
        return _address(host) in network if _address(host) is not None else False
    name, wanted = _without_port(name)
    if wanted is not None and wanted != port:
        return False
    if (address := _address(name) or _address(host)) is not None:
        return _address(name) == address == _address(host)
    name = name.removeprefix("*").removeprefix(".").rstrip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _without_port(text: str) -> tuple[str, int | None]:
    """Split ``host:port``; an IPv6 address has colons of its own."""
    name, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and (name.endswith("]") or ":" not in name):
        return name, int(port)
    return text.rstrip("/"), None
