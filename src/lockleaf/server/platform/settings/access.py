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
        default=(), description="Newest first, separated by commas; the newest signs, all verify."
    )
    prelogin: SecretStr | None = Field(
        default=None, description="Decides the parameters shown for unknown emails; never rotated."
    )

    @model_validator(mode="before")
    @classmethod
    def _split(cls, values: object) -> object:
        if isinstance(values, dict) and isinstance(roots := values.get("roots"), str):
            return {**values, "roots": tuple(root.strip() for root in roots.split(",") if root.strip())}
        return values


class TokenSettings(Group):
    """Lifetimes of tokens, and the one algorithm that signs them."""

    algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"
    access_minutes: float = Field(default=15, gt=0, le=24 * 60)
    form_minutes: float = Field(
        default=30, gt=0, le=24 * 60, description="The same, of `/auth/token`: by it come clients that do not refresh."
    )
    refresh_days: float = Field(default=30, gt=0, le=365)
    recovery_minutes: float = Field(default=10, gt=0, le=60)


class PreloginSettings(Group):
    """What is shown of the key derivation of accounts that there are not, so that it looks like that of the others."""

    salt_encoding: Literal["base64", "hex"] = Field(
        default="base64", description="How the vault clients of this server write their salts."
    )
    salt_bytes: int = Field(default=16, ge=8, le=64, description="How long those salts are.")


class HashingSettings(Group):
    """Argon2id of verifiers on the server, and how much of it may wait."""

    memory_kib: int = Field(default=19456, ge=8)
    iterations: int = Field(default=2, ge=1)
    parallelism: int = Field(default=1, ge=1)
    threads: int = Field(default=2, ge=1, le=64)
    queue: int = Field(default=64, ge=1, description="Hashes that may wait; beyond it a login is asked to come back.")


class CustodySettings(Group):
    """How content of uce accounts is sealed on the server."""

    suite: Literal["aes-256-gcm", "chacha20-poly1305"] = Field(
        default="aes-256-gcm", description="The cipher of what is sealed from now on; all are opened."
    )

    @property
    def suite_number(self) -> int:
        """The suite as it stands in an envelope."""
        return {"aes-256-gcm": 1, "chacha20-poly1305": 2}[self.suite]


class FactorSettings(Group):
    """Second factors of accounts."""

    challenge_minutes: float = Field(default=5, gt=0, le=60, description="How long an answer to a question may take.")
    issuer: str = Field(
        default="Lockleaf", pattern=r"^[A-Za-z0-9 ._-]{1,64}$", description="What authenticator apps call this server."
    )
    origins: Several = Field(
        default=(),
        description="Where passkeys may be asked for, as `https://journal.example.org`, separated by commas; that of "
        "the public address by default.",
    )
    rp_id: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9.-]{0,252}$",
        description="The host's name that passkeys are bound to; that of the first origin by default.",
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
        default=(), description="Separated by commas, as `https://app.example.org`; `*` for any. None by default."
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

    token: SecretStr | None = Field(default=None, description="Gives them to whoever sends it as a bearer token.")
    open: bool = Field(default=False, description="Give them to everybody; otherwise without a token to loopback only.")
    collect_seconds: float = Field(
        default=60, ge=1, description="How old what is counted in the database and on disks may be."
    )
