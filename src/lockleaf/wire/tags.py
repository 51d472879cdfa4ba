"""Bodies of ``/tags``. A uce account's tags have plain names; those of an e2e account are opaque to the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from lockleaf.wire.base import OF_THE_SERVER, Body
from lockleaf.wire.content import MAX_NAME, InvalidContent, clean_text
from lockleaf.wire.fields import LABEL_LENGTH, Bytes, Instant, decode_base64

__all__ = [
    "LabelText",
    "OpaqueTagChange",
    "OpaqueTagCreation",
    "Tag",
    "TagChange",
    "TagCleanup",
    "TagCreation",
    "TagId",
]


def _tag_name(value: str) -> str:
    name = clean_text(value, "tag", MAX_NAME)
    if name is None:
        raise InvalidContent("a tag has a name")
    return name


def _hex_label(value: object) -> object:
    """Return a label, written in hexadecimal digits or in base64, in hexadecimal digits."""
    if not isinstance(value, str):
        return value
    found = bytes.fromhex(value) if len(value) == 2 * LABEL_LENGTH else decode_base64(value)
    if len(found) != LABEL_LENGTH:
        raise ValueError("a label is 16 bytes, in hexadecimal digits or base64")
    return found.hex()


Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$"), AfterValidator(str.lower)]
"""A colour as it travels: ``#rrggbb``, kept in lower case."""
TagId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
TagName = Annotated[str, AfterValidator(_tag_name)]
LabelText = Annotated[str, BeforeValidator(_hex_label)]
"""A label in hexadecimal digits or base64; in hexadecimal digits once it is read."""
OpaqueName = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
OpaqueColor = Annotated[str, StringConstraints(min_length=1, max_length=256)]


_SHOWN = {**OF_THE_SERVER, **dict.fromkeys(("last_used_at", "unreadable"), OF_THE_SERVER["id"])}


class TagCreation(Body):
    """A tag by its name; uce."""

    name: TagName = Field(description="At most 200 characters. Case does not tell tags apart.")
    color: Color | None = Field(default=None, description="`#rrggbb`; without one the name decides.")


class OpaqueTagCreation(Body):
    """A tag by a name that the server takes as it is; e2e."""

    name: OpaqueName = Field(description="As the client made it. A plain name is one that the server sees.")
    color: OpaqueColor | None = None
    label: LabelText | None = Field(
        default=None,
        description="The name's label: it makes the tag the same one under any spelling or encryption of its name, and"
        " joins it to its entries. Without one, the same `name` is the same tag.",
    )


class TagChange(Body):
    """Another name or colour; what is absent stays. uce: a new name goes into every entry that has the tag."""

    asks_for_nothing: ClassVar[Mapping[str, str]] = _SHOWN

    name: TagName | None = None
    color: Color | None = None


class OpaqueTagChange(Body):
    """Another name or colour; what is absent stays. e2e."""

    asks_for_nothing: ClassVar[Mapping[str, str]] = _SHOWN

    name: OpaqueName | None = None
    color: OpaqueColor | None = None


class Tag(Body):
    """A tag."""

    id: TagId = Field(description="Its label in hexadecimal digits.")
    name: str | None = Field(default=None, description="Null where a client sealed it: it is in `payload` then.")
    color: str | None = None
    created_at: Instant
    last_used_at: Instant | None = Field(default=None, description="When an entry that has it was last written.")
    payload: Bytes | None = Field(default=None, description="e2e: name and colour, as a client sealed them.")
    unreadable: bool = Field(default=False, description="uce: it does not open with the account's keys.")


class TagCleanup(Body):
    """How many tags went."""

    message: str
    deleted_count: int
