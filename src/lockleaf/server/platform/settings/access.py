"""Who may come in, and what proves it: root secrets, tokens, hashing, custody, origins, who may read figures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from lockleaf.server.platform.settings.base import ORIGIN, Group, Several

__all__ = [
    "CorsSettings",
    "CustodySettings",
    "FactorSettings",
    "HashingSettings",
    "MetricsSettings",
    "PreloginSettings",
    "SecretSettings",
    "TokenSettings",
]


class SecretSettings(Group):
    """The server's root secrets. Each key that it uses is derived from one of them for one purpose."""

    roots: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Root secrets of 32 or more random characters, newest first, separated by commas; the newest "
        "signs, all verify.",
    )
    prelogin: SecretStr | None = Field(
        default=None, description="Decides the parameters and salts shown for unknown emails and names; never rotated."
    )

    @model_validator(mode="before")
    @classmethod
    def _split(cls, values: object) -> object:
        if isinstance(values, dict) and isinstance(roots := values.get("roots"), str):
            return {**values, "roots": tuple(root.strip() for root in roots.split(",") if root.strip())}
        return values


class TokenSettings(Group):
    """Lifetimes of tokens, and the one algorithm that signs them."""

    algorithm: Literal["HS256", "HS384", "HS512"] = Field(default="HS256", description="HS256, HS384 or HS512.")
    access_minutes: float = Field(default=15, gt=0, le=24 * 60, description="Life of an access token, in minutes.")
    form_minutes: float = Field(
        default=30,
        gt=0,
        le=24 * 60,
        description="The same of one from `/auth/token`, by which clients come that do not refresh.",
    )
    refresh_days: float = Field(default=30, gt=0, le=365, description="Life of a refresh token, in days.")
    recovery_minutes: float = Field(default=10, gt=0, le=60, description="Life of a recovery token, in minutes.")


class PreloginSettings(Group):
    """What is shown of the key derivation of accounts that there are not, so that it looks like that of the others."""

    salt_encoding: Literal["base64", "hex"] = Field(
        default="base64",
        description="`base64` or `hex`: how the vault clients of this server write their salts, so that what is "
        "shown of unknown names looks alike.",
    )
    salt_bytes: int = Field(default=16, ge=8, le=64, description="How many bytes those salts have.")


class HashingSettings(Group):
    """Argon2id of verifiers on the server, and how much of it may wait."""

    memory_kib: int = Field(default=19456, ge=8, description="Argon2id of verifiers: memory, in KiB.")
    iterations: int = Field(default=2, ge=1, description="Likewise: passes.")
    parallelism: int = Field(default=1, ge=1, description="Likewise: lanes.")
    threads: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Hashes at a time, a worker; each key of a uce account that is derived takes 64 MiB meanwhile.",
    )
    queue: int = Field(
        default=64, ge=1, description="Hashes that may wait, a worker; beyond it a login is asked to come back."
    )


class CustodySettings(Group):
    """How content of uce accounts is sealed on the server."""

    suite: Literal["aes-256-gcm", "chacha20-poly1305"] = Field(
        default="aes-256-gcm",
        description="`aes-256-gcm` or `chacha20-poly1305`: the cipher of what the server seals for uce accounts "
        "from now on; both are opened.",
    )

    @property
    def suite_number(self) -> int:
        """The suite as it stands in an envelope."""
        return {"aes-256-gcm": 1, "chacha20-poly1305": 2}[self.suite]


class FactorSettings(Group):
    """Second factors of accounts."""

    challenge_minutes: float = Field(
        default=5, gt=0, le=60, description="How long an answer to the question for a second factor may take."
    )
    issuer: str = Field(
        default="Lockleaf",
        pattern=r"^[A-Za-z0-9 ._-]{1,64}$",
        description="What authenticator apps and security keys call this server.",
    )
    origins: Several = Field(
        default=(),
        description="Where passkeys may be asked for: this server as its users reach it, and pages that serve its "
        "clients, as `https://journal.example.org`, separated by commas. Without either the server "
        "takes no passkeys.",
    )
    rp_id: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9.-]{0,252}$",
        description="The name that passkeys are bound to. Change it, and none of them answers any more.",
    )

    @field_validator("origins")
    @classmethod
    def _require_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(origin) and origin != "*" for origin in origins):
            raise ValueError("an origin is a scheme and a host without a path: https://journal.example.org")
        return origins


class CorsSettings(Group):
    """Which pages of other origins may call the API from a browser."""

    origins: Several = Field(
        default=(),
        description="Origins whose pages may call the API from a browser, separated by commas "
        "(`https://app.example.org`); `*` for any; none by default.",
    )

    @field_validator("origins")
    @classmethod
    def _require_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError(
                "an origin is a scheme and a host as a browser sends them, without a path or a slash at the end: "
                "https://app.example.org, http://localhost:3000, or *"
            )
        return origins


class MetricsSettings(Group):
    """Who may read the server's own figures, `/metrics`."""

    token: SecretStr | None = Field(default=None, description="Gives `/metrics` to whoever sends it as a bearer token.")
    open: bool = Field(
        default=False,
        description="Give `/metrics` to everybody; otherwise, without the token, only to the server's own "
        "machine, and not through a proxy on it.",
    )
    collect_seconds: float = Field(
        default=60, ge=1, description="How old what `/metrics` counts in the database and on disks may be, in seconds."
    )
