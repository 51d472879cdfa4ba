"""Bodies of ``/inbox``, and what is inside an item (PROTOCOL section 8)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from annotated_types import Len
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lockleaf.wire.base import Body, Listed
from lockleaf.wire.fields import Bytes, Instant, Rfc3339Text

__all__ = ["Inbox", "InboxAttachment", "InboxContent", "InboxItem", "Provider"]

Provider = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class InboxItem(Body):
    """An item that waits. The server sealed it and cannot open it; nobody vouches for what is inside."""

    id: UUID
    provider: str
    received_at: Instant
    sealed: Bytes | None = Field(description="An age file to the account's recipient; absent with `sealed=false`.")


class Inbox(Listed[InboxItem]):
    """A page of what waits."""


class InboxAttachment(BaseModel):
    """A file that came with an item, as an entry's map names an attachment (PROTOCOL section 3).

    It lies in the store, an age file to the same recipient.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, strict=True)

    media_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    media_type: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    size: Annotated[int, Field(ge=0, lt=2**53)]
    sha256: Annotated[bytes, Len(32, 32)]
    sealed_size: Annotated[int, Field(ge=0, lt=2**53)]
    sealed_sha256: Annotated[bytes, Len(32, 32)]
    recipient: Annotated[str, StringConstraints(max_length=100)]


class InboxContent(BaseModel):
    """The MessagePack map inside an item. Fields of newer servers are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, strict=True)

    provider: Provider
    external_id: ExternalId = Field(description="Its name at the provider: the same one makes the same entry.")
    body: str
    title: str | None = None
    mood: str | None = None
    weather: str | None = None
    location: str | None = None
    tags: Annotated[list[str], Len(0, 60)] = []
    occurred_at: Rfc3339Text | None = Field(default=None, description="With a zone; the time of arrival if absent.")
    time_zone: str | None = None
    link: Annotated[str, StringConstraints(max_length=2000)] | None = Field(
        default=None, description="Where it stands at the provider."
    )
    attachments: Annotated[list[InboxAttachment], Len(0, 100)] = []
    missing: int | None = Field(default=None, description="How many files of it could not be had, or are no pictures.")
