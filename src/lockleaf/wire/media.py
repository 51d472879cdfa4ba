"""Bodies of ``/media``: what a client declares of an encrypted file, and the requests that it may send to the store.

All sizes and digests here are of the ciphertext. What it holds, and under which name, is inside the entry.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Literal, Self
from uuid import UUID

from annotated_types import Len
from pydantic import AliasChoices, Field, StringConstraints, WithJsonSchema, WrapValidator, model_validator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from lockleaf.wire.base import Body, Listed, SeveralNames, invalid_field
from lockleaf.wire.content import MAX_MEDIA_BYTES
from lockleaf.wire.fields import Bytes, Digest, Instant
from lockleaf.wire.forms import DIGEST_LENGTH

__all__ = [
    "MAX_PARTS",
    "MAX_PART_BYTES",
    "MIN_PART_BYTES",
    "PARTS_AT_ONCE",
    "Media",
    "MediaDeclaration",
    "MediaDeclared",
    "MediaDownload",
    "MediaList",
    "MediaParts",
    "MediaPartsWanted",
    "Part",
    "SignedPart",
    "SignedUpload",
]

MIB = 1024 * 1024

MAX_PART_BYTES = 50 * MIB
"""The largest part, and the largest file that comes in one."""

MIN_PART_BYTES = 5 * MIB
"""The smallest part but the last one: stores take no smaller ones."""

MAX_PARTS = MAX_MEDIA_BYTES // MIN_PART_BYTES

PARTS_AT_ONCE = 100
"""For how many parts requests are signed at a time."""


_HEX = re.compile(rf"[0-9a-fA-F]{{{2 * DIGEST_LENGTH}}}")


def _digest(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """Read a digest in hexadecimal digits; leave any other form to base64, which is shorter."""
    if isinstance(value, str) and _HEX.fullmatch(value):
        return bytes.fromhex(value)
    return read(value)


AnyDigest = Annotated[
    Bytes,
    Len(DIGEST_LENGTH, DIGEST_LENGTH),
    WrapValidator(_digest),
    WithJsonSchema({"type": "string", "minLength": 44, "maxLength": 64}),
]
MediaType = Annotated[
    str,
    StringConstraints(
        max_length=128,
        to_lower=True,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$",
    ),
]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=r"^[^\x00-\x1f\x7f]+$")]
PartNumber = Annotated[int, Field(ge=1, le=MAX_PARTS)]


OwnPath = Annotated[
    str | None,
    Field(
        description="Where the server is its own store: the same below the server's address, for clients that know it. "
        "Behind a proxy the server may not know by which name, or below which path, it is reached, and `url` is wrong."
    ),
]


class Part(Body):
    """A part of a large file, as its client declares it."""

    size: Annotated[int, Field(ge=1, le=MAX_PART_BYTES)]
    sha256: AnyDigest


class MediaDeclaration(SeveralNames):
    """What a client is about to upload."""

    id: UUID | None = Field(default=None, description="Chosen by the client, so that it may ask again.")
    media_type: MediaType = Field(
        validation_alias=AliasChoices("media_type", "mime_type"),
        description="`type/subtype` of what is inside, without parameters.",
    )
    size: Annotated[int, Field(ge=1, le=MAX_MEDIA_BYTES)] = Field(
        validation_alias=AliasChoices("size", "file_size"), description="Of the ciphertext, in bytes."
    )
    sha256: AnyDigest | None = Field(
        default=None,
        description="Of the ciphertext, in hexadecimal digits or base64. Needed with `parts`, and in an e2e account"
        " with a keyring; else the file has the digest of what was received.",
    )
    entry_id: UUID | None = Field(default=None, description="The entry that it belongs to.")
    file_name: FileName | None = Field(
        default=None,
        description="uce: stored sealed. e2e: of a client that keeps its keys to itself, as it made it; with a keyring"
        " the name belongs within the entry.",
    )
    parts: Annotated[tuple[Part, ...], Len(1, MAX_PARTS)] | None = Field(
        default=None,
        description="All parts in their order, each of 5 to 50 MiB but the last; needed beyond 50 MiB.",
    )

    @model_validator(mode="after")
    def _parts_make_the_whole(self) -> Self:
        if self.parts is None:
            if self.size > MAX_PART_BYTES:
                raise ValueError("a file of more than 50 MiB comes in parts")
            return self
        if self.sha256 is None:
            raise invalid_field("sha256", "a file in parts names the digest of the whole")
        if any(part.size < MIN_PART_BYTES for part, _ in pairwise(self.parts)):
            raise ValueError("every part but the last has 5 MiB or more")
        if sum(part.size for part in self.parts) != self.size:
            raise ValueError("the parts do not add up to the size")
        return self


class SignedUpload(Body):
    """A request that its bearer may send to the store until it expires: these bytes and no others.

    Send just these headers, and never the access token.
    """

    method: str
    url: str
    path: OwnPath = None
    headers: dict[str, str]
    expires_at: Instant


class SignedPart(SignedUpload):
    """The request for one part."""

    number: PartNumber


MediaState = Literal["uploading", "stored"]


class MediaDeclared(Body):
    """Where the bytes go: `upload` for a file in one part, `parts` for the first 100; neither if they are there."""

    id: UUID
    state: MediaState
    upload: SignedUpload | None = None
    parts: tuple[SignedPart, ...] | None = None


class MediaPartsWanted(Body):
    """The parts for which requests shall be signed."""

    numbers: Annotated[tuple[PartNumber, ...], Len(0, PARTS_AT_ONCE)] | None = Field(
        default=None, description="The first 100 that the store does not have, if absent."
    )


class MediaParts(Body):
    """Requests for parts, and the numbers of those that the store has."""

    id: UUID
    state: MediaState
    parts: tuple[SignedPart, ...]
    stored: tuple[int, ...]


class Media(Body):
    """What the server knows of a file."""

    id: UUID
    media_type: str
    size: int
    sha256: Digest | None = Field(default=None, description="Absent until the file exists, if its client named none.")
    entry_id: UUID | None = None
    file_name: str | None = None
    state: MediaState
    created_at: Instant
    completed_at: Instant | None = None
    deleted_at: Instant | None = None


class MediaList(Listed[Media]):
    """A page of files, latest declared first."""


class MediaDownload(Body):
    """A request that its bearer may send to the store until it expires; ranges may be asked for.

    What arrives is compared with the digests in the entry: `sha256` here is what the server was told.
    """

    method: str
    url: str
    path: OwnPath = None
    headers: dict[str, str]
    expires_at: Instant
    size: int
    sha256: Digest
