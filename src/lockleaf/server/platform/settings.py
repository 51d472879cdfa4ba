"""Settings of the server, from the environment or a file ``.env``, grouped by what they govern.

Names are ``LOCKLEAF_<GROUP>__<NAME>``, for instance ``LOCKLEAF_DATABASE__POOL_SIZE=20``. Six have short names too,
since platforms or older installations set them so: ``DATABASE_URL``, ``SECRET_KEY``, ``ALGORITHM``,
``ACCESS_TOKEN_EXPIRE_MINUTES``, ``LOCKLEAF_DATA_DIR`` and ``LOCKLEAF_LOG_FORMAT``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from platformdirs import user_data_path
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lockleaf.wire.content import MAX_PAYLOAD_BYTES

__all__ = [
    "AnalyticsSettings",
    "BlobSettings",
    "CorsSettings",
    "CustodySettings",
    "DatabaseSettings",
    "HashingSettings",
    "IntegrationSettings",
    "JobSettings",
    "LimitSettings",
    "LogSettings",
    "MediaSettings",
    "PreloginSettings",
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

ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
HTTP_URL = r"^https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~/-]*)?$"


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="forbid")


class DatabaseSettings(_Group):
    """Where the database is, and how it is used. Without ``url`` the server starts its own PostgreSQL."""

    url: SecretStr | None = None
    pool_size: int = Field(default=10, ge=1, le=200)
    max_overflow: int = Field(default=20, ge=0, le=200)
    pre_ping: bool = True
    pre_ping_after_seconds: float = Field(default=5.0, ge=0, description="Ask only connections that rested this long.")
    pool_timeout_seconds: float = Field(default=10.0, gt=0)
    statement_timeout_seconds: float = Field(default=30.0, gt=0)
    lock_timeout_seconds: float = Field(default=10.0, gt=0)


class SecretSettings(_Group):
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


class TokenSettings(_Group):
    """Lifetimes of tokens, and the one algorithm that signs them."""

    algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"
    access_minutes: float = Field(default=15, gt=0, le=24 * 60)
    form_minutes: float = Field(
        default=30, gt=0, le=24 * 60, description="The same, of `/auth/token`: by it come clients that do not refresh."
    )
    refresh_days: float = Field(default=30, gt=0, le=365)
    recovery_minutes: float = Field(default=10, gt=0, le=60)


class PreloginSettings(_Group):
    """What is shown of the key derivation of accounts that there are not, so that it looks like that of the others."""

    salt_encoding: Literal["base64", "hex"] = Field(
        default="base64", description="How the vault clients of this server write their salts."
    )
    salt_bytes: int = Field(default=16, ge=8, le=64, description="How long those salts are.")


class HashingSettings(_Group):
    """Argon2id of verifiers on the server, and how much of it may wait."""

    memory_kib: int = Field(default=19456, ge=8)
    iterations: int = Field(default=2, ge=1)
    parallelism: int = Field(default=1, ge=1)
    threads: int = Field(default=2, ge=1, le=64)
    queue: int = Field(default=64, ge=1, description="Hashes that may wait; beyond it a login is asked to come back.")


class CustodySettings(_Group):
    """How content of uce accounts is sealed on the server."""

    suite: Literal["aes-256-gcm", "chacha20-poly1305"] = Field(
        default="aes-256-gcm", description="The cipher of what is sealed from now on; all are opened."
    )

    @property
    def suite_number(self) -> int:
        """The suite as it stands in an envelope."""
        return {"aes-256-gcm": 1, "chacha20-poly1305": 2}[self.suite]


class LimitSettings(_Group):
    """What one request or one account may ask for."""

    body_bytes: int = Field(default=1024 * 1024, ge=1024)
    sync_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    public_key_body_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="A public key for encrypted metrics, where it is registered."
    )
    record_bytes: int = Field(
        default=MAX_PAYLOAD_BYTES,
        ge=128 * 1024,
        le=MAX_PAYLOAD_BYTES,
        description="The payload of one record, through whatever door. What is there may be replaced by what is no"
        " larger.",
    )
    inbox_items: int = Field(default=1000, ge=1, description="Items that may wait in an account's inbox.")
    streams_per_account: int = Field(default=20, ge=1)
    storage_bytes: int | None = Field(default=None, description="Quota of an account; none by default.")


class CorsSettings(_Group):
    """Which pages of other origins may call the API from a browser."""

    origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Separated by commas, as `https://app.example.org`; `*` for any. None by default."
    )

    @field_validator("origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("origins")
    @classmethod
    def _require_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError(
                "an origin is a scheme and a host as a browser sends them, without a path or a slash at the end: "
                "https://app.example.org, http://localhost:3000, or *"
            )
        return origins


class ConnectionSettings(_Group):
    """How long and how many clients may keep the server waiting; of each web worker."""

    most: int = Field(
        default=1000, ge=8, description="Connections; beyond it a new one displaces the one that waits longest."
    )
    head_seconds: float = Field(default=15, gt=0, description="Until the head of a request is there.")
    body_seconds: float = Field(default=30, gt=0, description="How often to look whether a body goes on.")
    body_bytes_per_second: int = Field(default=256, ge=1, description="How fast a body has to come at least.")
    idle_seconds: int = Field(default=75, ge=1, description="How long a connection may rest between two requests.")
    write_seconds: float = Field(default=60, gt=0, description="How long a client may leave an answer unread.")


class MetricsSettings(_Group):
    """Who may read the server's own figures, `/metrics`."""

    token: SecretStr | None = Field(default=None, description="Gives them to whoever sends it as a bearer token.")
    open: bool = Field(default=False, description="Give them to everybody; otherwise without a token to loopback only.")
    collect_seconds: float = Field(
        default=60, ge=1, description="How old what is counted in the database and on disks may be."
    )


class AnalyticsSettings(_Group):
    """The processes that add up encrypted metrics, and how much they may take."""

    processes: int = Field(default=1, ge=1, le=64, description="Of each web worker, started when they are needed.")
    queue: int = Field(default=32, ge=1, description="Requests that may wait; beyond it one is asked to come back.")
    memory_mib: int = Field(default=1024, ge=512, description="Address space of one, of which it uses a tenth.")
    task_seconds: float = Field(default=20, gt=0, le=300, description="After which one that does not answer is killed.")
    tasks_per_process: int = Field(default=1000, ge=1, description="After which one is replaced.")
    prewarm: bool | None = Field(
        default=None, description="Whether to start one with the server; by default if there are metrics."
    )


class JobSettings(_Group):
    """Background work: who does it, how often it is tried, and how long what it leaves is kept."""

    in_process: bool | None = Field(
        default=None, description="Whether `serve` does it too; by default if the database is its own."
    )
    concurrency: int = Field(default=4, ge=2, le=64, description="Jobs at a time, a worker.")
    poll_seconds: float = Field(default=30, ge=0.1, description="How often to look without having been told.")
    heartbeat_seconds: float = Field(
        default=30, ge=1, description="After this long without a sign of life another worker takes a job up."
    )
    grace_seconds: float = Field(default=10, ge=0, description="How long a worker that stops lets its jobs finish.")
    max_attempts: int = Field(default=5, ge=1, le=100)
    backoff_seconds: float = Field(default=5, ge=0, description="Before the second attempt; doubled before each other.")
    backoff_max_seconds: float = Field(default=600, ge=0)
    purge_after_days: float = Field(default=30, ge=0, description="Before what was deleted is dropped for good.")
    archive_days: float = Field(default=7, gt=0, description="How long an archive can be fetched.")
    keep_days: float = Field(default=30, gt=0, description="How long a job that ended is listed.")


class MediaSettings(_Group):
    """Encrypted files: how much room they have, and how long what belongs to their uploads is good."""

    quota_bytes_e2e: int | None = Field(
        default=None, ge=0, description="Media of an end-to-end encrypted account; as much as it likes by default."
    )
    quota_bytes_uce: int | None = Field(default=None, ge=0, description="Media of a uce account.")
    upload_seconds: int = Field(default=3600, ge=60, le=604800, description="How long an upload may wait to begin.")
    download_seconds: int = Field(default=300, ge=10, le=604800, description="How long a download may.")
    unfinished_hours: float = Field(
        default=24, gt=0, description="After this long without a sign of life an unfinished upload is forgotten."
    )
    orphan_hours: float = Field(
        default=48, ge=0, description="Before objects that nobody knows are deleted from the store; 0 for never."
    )

    def quota_bytes(self, custody: str) -> int | None:
        """Return how many bytes the media of an account may have, by its custody."""
        return self.quota_bytes_uce if custody == "uce" else self.quota_bytes_e2e


class BlobSettings(_Group):
    """Where encrypted files lie: in a folder of this machine, or in a bucket of whatever speaks S3."""

    kind: Literal["file", "s3"] = "file"
    path: Path | None = Field(default=None, description="The folder; `blobs` in the data folder by default.")
    public_url: str | None = Field(
        default=None, pattern=HTTP_URL, description="This server as clients reach it, if it is not as they called it."
    )
    bucket: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    endpoint: str | None = Field(default=None, pattern=HTTP_URL, description="As the server sees it; AWS by default.")
    public_endpoint: str | None = Field(
        default=None, pattern=HTTP_URL, description="As clients reach it; the same by default."
    )
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,64}$")
    style: Literal["auto", "path", "virtual"] = Field(
        default="auto", description="Whether the bucket stands in the path or in the host's name."
    )
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    prefix: str = Field(
        default="", pattern=r"^[A-Za-z0-9._/-]{0,200}$", description="What objects' names begin with in the bucket."
    )
    timeout_seconds: float = Field(default=10.0, gt=0, description="How long to wait for an answer of the bucket's.")

    @model_validator(mode="after")
    def _require_a_bucket(self) -> Self:
        if self.kind == "s3" and self.bucket is None:
            raise ValueError("an S3 store needs the name of a bucket: set LOCKLEAF_BLOBS__BUCKET")
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("an access key and a secret key come together: set both, or neither")
        return self


class SearchSettings(_Group):
    """Searching entries, and building the index of those that the server may open (uce)."""

    opened_per_request: int = Field(
        default=200, ge=1, le=10_000, description="Entries that one request looks into; a page may end there."
    )
    page_seconds: float = Field(default=5, ge=0, le=60, description="After which one looks into no more of them.")
    slice_seconds: float = Field(default=2, ge=0, le=20, description="How long one request builds an index.")


class IntegrationSettings(_Group):
    """Social networks that accounts may connect."""

    mastodon: bool = Field(default=True, description="Whether accounts may connect instances of Mastodon.")
    facebook_app_id: str | None = Field(default=None, description="Of the application that you registered there.")
    facebook_app_secret: SecretStr | None = None
    facebook_redirect_uri: str | None = Field(
        default=None, description="A page of yours that shows users the address it was called by, as registered there."
    )
    facebook_version: str = Field(default="v25.0", pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")
    facebook_graph_url: str = Field(default="https://graph.facebook.com", pattern=HTTP_URL)
    facebook_dialog_url: str = Field(default="https://www.facebook.com", pattern=HTTP_URL)
    website: str | None = Field(default=None, pattern=HTTP_URL, description="Shown beside our name where users allow.")
    redirect_uris: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Further addresses that a network may send users back to, separated by commas."
    )
    private_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Instances within your own network, as `host:port`, separated by commas; all others have to be"
        " public and to speak TLS.",
    )
    request_seconds: float = Field(default=30, gt=0, le=60, description="How long a network may take to answer.")
    pages: int = Field(default=10, ge=1, le=100, description="Pages of posts that one pull takes over.")
    picture_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="The largest picture, either way."
    )
    push_body_bytes: int = Field(default=32 * 1024 * 1024, ge=1024, description="A push, with its pictures in base64.")

    @field_validator("redirect_uris", "private_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


class LogSettings(_Group):
    """How the server speaks."""

    format: Literal["json", "console"] = "json"
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


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

    environment: Literal["production", "development"] = "production"
    data_dir: Path = Field(default_factory=lambda: user_data_path("lockleaf") / "server")
    database: DatabaseSettings = DatabaseSettings()
    secrets: SecretSettings = SecretSettings()
    tokens: TokenSettings = TokenSettings()
    prelogin: PreloginSettings = PreloginSettings()
    hashing: HashingSettings = HashingSettings()
    limits: LimitSettings = LimitSettings()
    cors: CorsSettings = CorsSettings()
    connections: ConnectionSettings = ConnectionSettings()
    metrics: MetricsSettings = MetricsSettings()
    custody: CustodySettings = CustodySettings()
    blobs: BlobSettings = BlobSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    media: MediaSettings = MediaSettings()
    search: SearchSettings = SearchSettings()
    integrations: IntegrationSettings = IntegrationSettings()
    jobs: JobSettings = JobSettings()
    log: LogSettings = LogSettings()

    database_url: SecretStr | None = Field(default=None, validation_alias=AliasChoices("DATABASE_URL", "database_url"))
    secret_key: SecretStr | None = Field(default=None, validation_alias=AliasChoices("SECRET_KEY", "secret_key"))
    algorithm: Literal["HS256", "HS384", "HS512"] | None = Field(
        default=None, validation_alias=AliasChoices("ALGORITHM", "algorithm")
    )
    access_token_expire_minutes: float | None = Field(
        default=None, validation_alias=AliasChoices("ACCESS_TOKEN_EXPIRE_MINUTES", "access_token_expire_minutes")
    )
    log_format: Literal["json", "console"] | None = None

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
