"""Who is asked to come back later, whose word on addresses counts, and who may make an account."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from lockleaf.server.platform.settings.base import Group, Several

__all__ = ["ProxySettings", "Rate", "RateSettings", "RegistrationSettings"]

_ONE = r"[1-9][0-9]{0,8}/([1-9][0-9]{0,3} )?(second|minute|hour|day)"
_STORES = ("valkey://", "valkeys://", "redis://", "rediss://", "unix://")

Rate = Annotated[str, Field(pattern=rf"^(off|{_ONE}(;{_ONE})*)$")]
"""How many requests in how long, such as ``10/minute;60/hour``, of which each holds; ``off`` for any number."""


class RateSettings(Group):
    """How often one address, one account, or one of them at the other, may ask for something."""

    enabled: bool = Field(default=True, description="False switches off all rates.")
    store: SecretStr | None = Field(
        default=None,
        description="Valkey or Redis that counts for all replicas: `valkey://`, `valkeys://`, `redis://`, "
        "`rediss://` or `unix://`; each process counts in its own memory by default.",
    )
    store_seconds: float = Field(
        default=0.25,
        gt=0,
        le=5,
        description="How long that store may take to answer before requests are counted in memory, in seconds.",
    )
    store_retry_seconds: float = Field(
        default=5, gt=0, le=600, description="How often a lost store is asked again, in seconds."
    )
    shares: int = Field(
        default=1,
        ge=1,
        le=1024,
        description="Among how many processes what is counted in memory is divided; `serve` multiplies it by its "
        "workers.",
    )
    prelogin: Rate = Field(
        default="30/minute;240/hour",
        description="Questions for key derivation, of an address; here and below `off` for any number.",
    )
    login: Rate = Field(default="20/minute;120/hour", description="Logins, of an address.")
    login_account: Rate = Field(default="6/minute;30/hour", description="Logins to one account, of an address.")
    login_everywhere: Rate = Field(
        default="100/hour",
        description="Logins to one account, of all addresses together; devices that the account knows are exempt.",
    )
    recovery: Rate = Field(default="10/minute;60/hour", description="Uses of recovery codes and tokens, of an address.")
    recovery_account: Rate = Field(
        default="5/minute;20/hour", description="Recovery codes of one account, of an address."
    )
    signup: Rate = Field(default="5/minute;30/hour", description="New accounts, of an address.")
    secret: Rate = Field(
        default="6/minute;30/hour", description="Requests that give the present password once more, of a session."
    )
    address: Rate = Field(default="6000/minute", description="Everything else, of an address.")
    account: Rate = Field(default="3000/minute", description="Everything else, of an account.")

    @field_validator("store")
    @classmethod
    def _require_a_known_scheme(cls, store: SecretStr | None) -> SecretStr | None:
        if store is not None and not store.get_secret_value().startswith(_STORES):
            raise ValueError(f"the address of a store begins with one of {', '.join(_STORES)}")
        return store


class ProxySettings(Group):
    """Proxies before this server: they alone are believed when they say who called them."""

    trusted: Several = Field(
        default=(),
        description="Addresses or networks of proxies that are believed when they say who called them, separated "
        "by commas; none by default.",
    )
    header: Literal["x-forwarded-for", "forwarded"] = Field(
        default="x-forwarded-for", description="`x-forwarded-for` or `forwarded`: the one that they set."
    )

    @field_validator("trusted")
    @classmethod
    def _require_networks(cls, trusted: tuple[str, ...]) -> tuple[str, ...]:
        for each in trusted:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(
                    "a proxy is an address or a network: 127.0.0.1, 10.0.0.0/8, fd00::/8 (no bits behind its length)"
                ) from None
        return trusted


class RegistrationSettings(Group):
    """Who may make an account."""

    mode: Literal["open", "invitation", "closed"] = Field(
        default="open", description="`open`, `invitation` or `closed`: who may make an account."
    )
