"""Bodies of ``/vault``: named blobs with versions. What is inside, and how it was sealed, is the client's affair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from lockleaf.wire.base import OF_THE_SERVER, Body, Listed
from lockleaf.wire.fields import Instant, RecordId, Sequence64

__all__ = ["Vault", "VaultChange", "VaultCreated", "VaultCreation", "VaultVersion", "VaultVersions", "Vaults"]

Opaque = Annotated[str, StringConstraints(max_length=256)]


class _Blob(Body):
    ciphertext: str = Field(description="Text as the client made it, returned unchanged; at most 4 MiB with the rest.")
    iv: Opaque


class VaultCreation(_Blob):
    """A new blob."""

    asks_for_nothing: ClassVar[Mapping[str, str]] = OF_THE_SERVER

    salt: Opaque

    vault_id: RecordId
    version: Literal[1] = 1


class VaultChange(_Blob):
    """The next version of a blob."""

    asks_for_nothing: ClassVar[Mapping[str, str]] = OF_THE_SERVER

    vault_id: RecordId | None = Field(default=None, description="That of the path, if it is given.")
    salt: Opaque | None = Field(default=None, description="The present version's, if absent.")
    version: Sequence64 | None = Field(
        default=None, description="The present version + 1; may be left out where `If-Match` names the present one."
    )


class VaultCreated(Body):
    """The answer to a blob that was stored, or had been."""

    vault_id: RecordId
    created_at: Instant
    updated_at: Instant
    version: Sequence64


class Vault(_Blob):
    """A blob as the server has it."""

    salt: Opaque
    vault_id: RecordId
    version: Sequence64
    created_at: Instant
    updated_at: Instant


class Vaults(Listed[Vault]):
    """A page of blobs, by their ids."""


class VaultVersion(Body):
    """When a version was stored."""

    version: Sequence64
    updated_at: Instant


class VaultVersions(Listed[VaultVersion]):
    """A page of a blob's versions, newest first."""
