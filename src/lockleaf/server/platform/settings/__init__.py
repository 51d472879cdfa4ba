"""Settings of the server, from the environment or a file ``.env``, grouped by what they govern.

Names are ``LOCKLEAF_<GROUP>__<NAME>``, for instance ``LOCKLEAF_DATABASE__POOL_SIZE=20``. Six have short names too,
since platforms or older installations set them so: ``DATABASE_URL``, ``SECRET_KEY``, ``ALGORITHM``,
``ACCESS_TOKEN_EXPIRE_MINUTES``, ``LOCKLEAF_DATA_DIR`` and ``LOCKLEAF_LOG_FORMAT``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self

from platformdirs import user_data_path
from pydantic import AliasChoices, BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lockleaf.server.platform.settings.access import (
    CorsSettings,
    CustodySettings,
    FactorSettings,
    HashingSettings,
    MetricsSettings,
    PreloginSettings,
    SecretSettings,
    TokenSettings,
)
from lockleaf.server.platform.settings.base import Group
from lockleaf.server.platform.settings.limits import (
    AnalyticsSettings,
    ConnectionSettings,
    JobSettings,
    LimitSettings,
    SearchSettings,
)
from lockleaf.server.platform.settings.networks import IntegrationSettings
from lockleaf.server.platform.settings.rates import ProxySettings, RateSettings, RegistrationSettings
from lockleaf.server.platform.settings.storage import BlobSettings, DatabaseSettings, DatabaseUrl, MediaSettings

__all__ = [
    "AnalyticsSettings",
    "BlobSettings",
    "ConnectionSettings",
    "CorsSettings",
    "CustodySettings",
    "DatabaseSettings",
    "FactorSettings",
    "HashingSettings",
    "IntegrationSettings",
    "JobSettings",
    "LimitSettings",
    "LogSettings",
    "MediaSettings",
    "MetricsSettings",
    "PreloginSettings",
    "ProxySettings",
    "RateSettings",
    "RegistrationSettings",
    "SearchSettings",
    "SecretSettings",
    "Settings",
    "TokenSettings",
]

SHORTEST_SECRET = 32
# Short words stand in random text now and then: there they count only where they stand alone.
PLACEHOLDER = re.compile(
    r"change[-_ ]?me|secret|password|example|placeholder|(?<![a-z0-9])(test|testing|dev|development)(?![a-z0-9])", re.I
)


class LogSettings(Group):
    """How the server speaks."""

    format: Literal["json", "console"] = Field(default="json", description="`json` or `console`.")
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR."
    )
    refused_addresses: bool = Field(
        default=False,
        description="Whether lines of refused logins, recoveries, sign-ups and questions for key derivation carry "
        "the address, for fail2ban.",
    )


class Settings(BaseSettings):
    """Everything that an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix="LOCKLEAF_",
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8",
        hide_input_in_errors=True,
        extra="ignore",
        frozen=True,
    )

    environment: Literal["production", "development"] = Field(
        default="production", description="`production` or `development`; only the latter accepts placeholder secrets."
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("lockleaf") / "server",
        description="Where the database, the secrets, the log and attached files are kept.",
    )
    database: DatabaseSettings = DatabaseSettings()
    secrets: SecretSettings = SecretSettings()
    tokens: TokenSettings = TokenSettings()
    prelogin: PreloginSettings = PreloginSettings()
    hashing: HashingSettings = HashingSettings()
    limits: LimitSettings = LimitSettings()
    rates: RateSettings = RateSettings()
    proxies: ProxySettings = ProxySettings()
    registration: RegistrationSettings = RegistrationSettings()
    cors: CorsSettings = CorsSettings()
    connections: ConnectionSettings = ConnectionSettings()
    metrics: MetricsSettings = MetricsSettings()
    custody: CustodySettings = CustodySettings()
    factors: FactorSettings = FactorSettings()
    blobs: BlobSettings = BlobSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    media: MediaSettings = MediaSettings()
    search: SearchSettings = SearchSettings()
    integrations: IntegrationSettings = IntegrationSettings()
    jobs: JobSettings = JobSettings()
    log: LogSettings = LogSettings()

    database_url: DatabaseUrl | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="PostgreSQL to use instead of the embedded one.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("SECRET_KEY", "secret_key"),
        description="Short name of `LOCKLEAF_SECRETS__ROOTS` and of `LOCKLEAF_SECRETS__PRELOGIN`: 32 or more "
        "random characters.",
    )
    algorithm: Literal["HS256", "HS384", "HS512"] | None = Field(
        default=None,
        validation_alias=AliasChoices("ALGORITHM", "algorithm"),
        description="Short name of `LOCKLEAF_TOKENS__ALGORITHM`.",
    )
    access_token_expire_minutes: float | None = Field(
        default=None,
        validation_alias=AliasChoices("ACCESS_TOKEN_EXPIRE_MINUTES", "access_token_expire_minutes"),
        description="Short name of `LOCKLEAF_TOKENS__ACCESS_MINUTES` and of `LOCKLEAF_TOKENS__FORM_MINUTES`.",
    )
    log_format: Literal["json", "console"] | None = Field(
        default=None, description="Short name of `LOCKLEAF_LOG__FORMAT`."
    )

    @model_validator(mode="after")
    def _apply_short_names(self) -> Self:
        """Let the short names stand for the long ones; the long one wins where both are set."""
        groups: dict[str, BaseModel] = {}
        if self.secret_key is not None:
            groups["secrets"] = SecretSettings(
                roots=self.secrets.roots or (self.secret_key,), prelogin=self.secrets.prelogin or self.secret_key
            )
        if self.database_url is not None and self.database.url is None:
            groups["database"] = self.database.model_copy(update={"url": self.database_url})
        tokens: dict[str, object] = {}
        if self.algorithm is not None and "algorithm" not in self.tokens.model_fields_set:
            tokens["algorithm"] = self.algorithm
        for name in ("access_minutes", "form_minutes"):
            if self.access_token_expire_minutes is not None and name not in self.tokens.model_fields_set:
                tokens[name] = self.access_token_expire_minutes
        if tokens:
            groups["tokens"] = TokenSettings.model_validate({**self.tokens.model_dump(), **tokens})
        if self.log_format is not None and "format" not in self.log.model_fields_set:
            groups["log"] = self.log.model_copy(update={"format": self.log_format})
        for name, group in groups.items():
            object.__setattr__(self, name, group)
        return self

    @model_validator(mode="after")
    def _require_a_way_around_the_pooler(self) -> Self:
        if self.database.pooler_url is not None and self.database.url is None:
            raise ValueError("LOCKLEAF_DATABASE__POOLER_URL needs DATABASE_URL beside it: PostgreSQL's own address")
        return self

    @model_validator(mode="after")
    def _refuse_placeholders(self) -> Self:
        """A secret that stands in some documentation is known to everybody."""
        if self.environment == "development":
            return self
        for secret in (*self.secrets.roots, *filter(None, [self.secrets.prelogin])):
            text = secret.get_secret_value()
            if len(text) < SHORTEST_SECRET or len(set(text)) < 8 or PLACEHOLDER.search(text):
                raise ValueError(
                    "SECRET_KEY or another root secret looks like a placeholder: use 32 or more random characters, "
                    "for instance from `openssl rand -base64 48`"
                )
        return self
