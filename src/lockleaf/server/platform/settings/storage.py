"""Where things are kept: the database, files and what belongs to their uploads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from lockleaf.server.platform.settings.base import HTTP_URL, Group

__all__ = ["BlobSettings", "DatabaseSettings", "DatabaseUrl", "MediaSettings"]


def _is_postgresql(url: SecretStr) -> SecretStr:
    """Refuse what is no address of a PostgreSQL, without repeating any of it: there may be a password in it."""
    text = url.get_secret_value()
    if not re.match(r"postgres(ql)?(\+\w+)?://", text):
        raise ValueError("it does not begin with postgresql://. Write postgresql://USER:PASSWORD@HOST:PORT/NAME")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise ValueError(
            "its port is not a number. Characters such as @ : / # in a password are written as %40 %3A %2F %23"
        ) from None
    return url


DatabaseUrl = Annotated[SecretStr, AfterValidator(_is_postgresql)]


class DatabaseSettings(Group):
    """Where the database is, and how it is used. Without ``url`` the server starts its own PostgreSQL."""

    url: DatabaseUrl | None = Field(default=None, description="The same as `DATABASE_URL`.")
    pooler_url: DatabaseUrl | None = Field(
        default=None,
        description="PgBouncer in transaction mode before the PostgreSQL of `DATABASE_URL`: requests and jobs go by "
        "it; what listens, locks, migrates or backs up goes around it.",
    )
    pool_size: int = Field(
        default=8,
        ge=1,
        le=200,
        description="Most connections of each of the two pools of a worker; those that rest are closed.",
    )
    pre_ping: bool = Field(default=True, description="Ask rested connections before they are used.")
    pre_ping_after_seconds: float = Field(default=5.0, ge=0, description="Ask only connections that rested this long.")
    pool_timeout_seconds: float = Field(
        default=10.0, gt=0, description="How long a request waits for a connection, in seconds."
    )
    statement_timeout_seconds: float = Field(default=30.0, gt=0, description="Longest statement, in seconds.")
    lock_timeout_seconds: float = Field(default=10.0, gt=0, description="Longest wait for a lock, in seconds.")


class BlobSettings(Group):
    """Where encrypted files lie: in a folder of this machine, or in a bucket of whatever speaks S3."""

    kind: Literal["file", "s3"] = Field(default="file", description="`file` or `s3`: where attached files lie.")
    path: Path | None = Field(default=None, description="The folder, for `file`.")
    public_url: str | None = Field(
        default=None,
        pattern=HTTP_URL,
        description="This server's address for clients, for `file`, with the path below which a proxy puts it, "
        "such as `https://example.org/journal`; the OpenAPI document and the `type` of a problem name "
        "it too. Lockleaf's own clients do without.",
    )
    bucket: str | None = Field(
        default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="The bucket, for `s3`."
    )
    endpoint: str | None = Field(
        default=None, pattern=HTTP_URL, description="The store's address, as the server reaches it."
    )
    public_endpoint: str | None = Field(
        default=None, pattern=HTTP_URL, description="The store's address, as clients reach it."
    )
    region: str = Field(
        default="us-east-1", pattern=r"^[a-z0-9-]{1,64}$", description="The bucket's region; `auto` for R2."
    )
    style: Literal["auto", "path", "virtual"] = Field(
        default="auto",
        description="`path`, `virtual` or `auto`: whether the bucket's name stands in the path or in the host's name.",
    )
    access_key: SecretStr | None = Field(default=None, description="Who the server is to the store.")
    secret_key: SecretStr | None = Field(default=None, description="And how it proves it.")
    prefix: str = Field(
        default="", pattern=r"^[A-Za-z0-9._/-]{0,200}$", description="What the names of files begin with in the bucket."
    )
    timeout_seconds: float = Field(default=10.0, gt=0, description="How long to wait for the store, in seconds.")

    @model_validator(mode="after")
    def _require_a_bucket(self) -> Self:
        if self.kind == "s3" and self.bucket is None:
            raise ValueError("an S3 store needs the name of a bucket: set LOCKLEAF_BLOBS__BUCKET")
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("an access key and a secret key come together: set both, or neither")
        return self


class MediaSettings(Group):
    """Encrypted files: their quota, and how long what belongs to their uploads is good."""

    quota_bytes_e2e: int | None = Field(
        default=None,
        ge=0,
        description="Bytes that the media of an end-to-end encrypted account may have, declared ones included; "
        "without a limit by default.",
    )
    quota_bytes_uce: int | None = Field(default=None, ge=0, description="Likewise of a `uce` account.")
    upload_seconds: int = Field(
        default=3600, ge=60, le=604800, description="How long an address for an upload is good, in seconds."
    )
    download_seconds: int = Field(
        default=300, ge=10, le=604800, description="How long an address for a download is good, in seconds."
    )
    unfinished_hours: float = Field(
        default=24,
        gt=0,
        description="After this long without a sign of life an unfinished upload is forgotten, and its quota is "
        "free, in hours.",
    )
    orphan_hours: float = Field(
        default=48,
        ge=0,
        description="Before objects that no account knows are deleted from the store, in hours; 0 for never.",
    )

    def quota_bytes(self, custody: str) -> int | None:
        """Return how many bytes the media of an account may have, by its custody."""
        return self.quota_bytes_uce if custody == "uce" else self.quota_bytes_e2e
