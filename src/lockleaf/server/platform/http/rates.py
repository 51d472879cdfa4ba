"""Rates at the routes: each says by which its callers are counted, and every answer says how they stand."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from fastapi import Request
from starlette.types import Scope

from lockleaf.server.platform.http.addresses import Proxies, rated_as
from lockleaf.server.platform.http.dependencies import parts_of_scope
from lockleaf.server.platform.limits.memory import Limit
from lockleaf.server.platform.limits.rates import Quoted, Rates, Standing
from lockleaf.server.platform.parts import Parts

__all__ = ["Attempts", "attempts", "client_of", "count_account", "count_address", "header_lines", "rated"]

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

GENERAL = "address"


def rated(policy: str | None) -> Callable[[Endpoint], Endpoint]:
    """Count the requests of an address to an endpoint by a rate of their own; by none where it is None."""

    def counted(endpoint: Endpoint) -> Endpoint:
        endpoint.rate = policy  # type: ignore[attr-defined]
        return endpoint

    return counted


def client_of(scope: Scope, parts: Parts) -> str:
    """Return the address that a request comes from, as it is found out once."""
    state = scope["state"]
    if "client" not in state:
        state["client"] = parts[Proxies].client(scope)
    address: str = state["client"]
    return address


async def count_address(scope: Scope, endpoint: Callable[..., Any]) -> None:
    """Count a request by its address and its endpoint.

    Raises:
        RateLimited: there were too many.
    """
    policy: str | None = getattr(endpoint, "rate", GENERAL)
    if policy is not None:
        parts = parts_of_scope(scope)
        scope["state"]["rate"] = policy
        await _count(scope, parts[Rates], policy, rated_as(client_of(scope, parts)))


async def count_account(request: Request, policy: str, who: UUID) -> None:
    """Count a request by whom it speaks for.

    Raises:
        RateLimited: there were too many.
    """
    await _count(request.scope, parts_of_scope(request.scope)[Rates], policy, who)


async def _count(scope: Scope, rates: Rates, policy: str, *who: str | UUID) -> None:
    standing = rates.hit_here(policy, who) if rates.are_here else await rates.hit(policy, *who)
    if standing is not None:
        scope["state"].setdefault("standings", []).append(standing)
        if not standing.allowed:
            raise await rates.refusal(standing)


class Attempts:
    """The attempts of one address at accounts, by their emails or names: whether there are such accounts or not.

    Args:
        request: whose address it is.
        policy: of an address at one account.
        everywhere: of one account, from whatever address; None where nothing is gained by guessing.
    """

    def __init__(self, request: Request, policy: str, everywhere: str | None) -> None:
        self._scope = request.scope
        self._parts = parts_of_scope(request.scope)
        self._policy = policy
        self._everywhere = everywhere

    async def count(self, login_name: str) -> Standing | None:
        """Count an attempt at an account; return what refuses it unless its device is known, if anything does.

        Args:
            login_name: in its one form.

        Raises:
            RateLimited: this address tried this account too often.
        """
        rates = self._parts[Rates]
        address = rated_as(client_of(self._scope, self._parts))
        await _count(self._scope, rates, self._policy, address, login_name)
        standing = None if self._everywhere is None else await rates.hit(self._everywhere, login_name)
        return None if standing is None or standing.allowed else standing

    async def refuse(self, standing: Standing) -> None:
        """Refuse an attempt at an account that too many were made at, from wherever.

        Raises:
            RateLimited: always.
        """
        self._scope["state"]["standings"].append(standing)
        raise await self._parts[Rates].refusal(standing)


def attempts(policy: str, everywhere: str | None = None) -> Callable[[Request], Attempts]:
    """Return a dependency that gives a route the attempts of the address that calls it."""

    async def dependency(request: Request) -> Attempts:
        return Attempts(request, policy, everywhere)

    return dependency  # type: ignore[return-value]


async def header_lines(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return `RateLimit-Policy` and `RateLimit` of an answer (draft-ietf-httpapi-ratelimit-headers-10)."""
    standings: list[Standing] = scope["state"].get("standings", [])
    if not standings:
        return []
    rates = parts_of_scope(scope)[Rates]
    # What refused is last. Beside a rate of the account's own that of the address is no news, at every request.
    alone = not standings[-1].allowed or standings[0].policy == GENERAL
    shown = standings[-1:] if alone else standings
    quoted: list[Quoted] = []
    for standing in shown:
        quoted += rates.quote_here(standing) if rates.are_here else await rates.quote(standing)
    if not quoted:
        return []
    told = ", ".join([f'"{limit.name}";r={remaining};t={reset}' for limit, remaining, reset in quoted])
    return [
        (b"ratelimit-policy", _policy_line(*[limit for limit, _, _ in quoted])),
        (b"ratelimit", told.encode()),
    ]


@lru_cache
def _policy_line(*limits: Limit) -> bytes:
    return ", ".join(f'"{name}";q={amount};w={seconds}' for name, amount, seconds in limits).encode()
