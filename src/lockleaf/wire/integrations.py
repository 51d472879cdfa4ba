"""Bodies of ``/integrations``: connections to social networks."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from annotated_types import Len
from pydantic import Field, StringConstraints

from lockleaf.wire.base import Body, Listed
from lockleaf.wire.fields import Bytes, Instant

__all__ = [
    "Callback",
    "Connect",
    "Connecting",
    "Integration",
    "Integrations",
    "Picture",
    "Pull",
    "Pulled",
    "PushRequest",
    "PushResult",
    "Target",
]

_Address = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Opaque = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class Connect(Body):
    """What is connected."""

    instance: _Address | None = Field(default=None, description="With mastodon: the instance, as `mastodon.social`.")
    redirect_uri: _Address | None = Field(
        default=None,
        description="Where the network sends its user back; one of those that the operator allows. By default the"
        " network shows a code to copy, or the operator's own address is used.",
    )


class Connecting(Body):
    """Where the user is sent, to allow it."""

    authorization_url: str = Field(description="To be opened in a browser.")
    state: str = Field(description="Goes into the callback. The network sends it back beside the code.")
    redirect_uri: str
    expires_at: Instant


class Callback(Body):
    """What came back from the network."""

    state: _Opaque
    code: _Opaque


class Target(Body):
    """What can be written to: a Page."""

    id: str
    name: str


class Integration(Body):
    """A connection."""

    id: UUID
    provider: str
    name: str | None = Field(default=None, description="Of the account at the network.")
    instance: str | None = None
    state: Literal["connected", "reconnect_required"]
    targets: tuple[Target, ...] = ()
    visibilities: tuple[str, ...] = ()
    connected_at: Instant
    pulled_at: Instant | None = Field(default=None, description="When everything there was last taken over.")
    paused_until: Instant | None = Field(default=None, description="Until when the network wants to be left alone.")
    last_error: str | None = Field(default=None, description="The code of what the last pull ended with.")
    unknown: int = Field(default=0, description="Pushes of which nobody knows yet whether they were published.")


class Integrations(Listed[Integration]):
    """The connections of an account, oldest first."""


class Picture(Body):
    """A picture that is published with an entry."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    media_type: Annotated[str, StringConstraints(pattern=r"^image/[a-z0-9.+-]{1,60}$")]
    data: Bytes
    description: Annotated[str, StringConstraints(max_length=1500)] | None = None


class PushRequest(Body):
    """What is published."""

    entry_id: UUID
    text: Annotated[str, StringConstraints(min_length=1, max_length=63206)] | None = Field(
        default=None,
        description="What is published. With e2e the client gives it; with uce the server opens the entry without it.",
    )
    integration_id: UUID | None = Field(default=None, description="Which, where several of one provider are connected.")
    target: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, description="With facebook: the Page; may be left out where there is one."
    )
    visibility: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = Field(
        default=None, description="With mastodon: `public`, `unlisted`, `private` or `direct`."
    )
    pictures: Annotated[tuple[Picture, ...], Len(0, 10)] = ()


class PushResult(Body):
    """What became of it."""

    status: Literal["published", "unknown"] = Field(
        description="`unknown`: the network's answer was lost. Send the same again later: what is there is found, and"
        " is not published twice."
    )
    provider: str
    entry_id: UUID
    external_id: str | None = None
    url: str | None = None
    published_at: Instant | None = None
    retry_after: int | None = Field(default=None, description="Seconds after which to ask again.")


class Pull(Body):
    """What is taken over."""

    integration_id: UUID | None = None


class Pulled(Body):
    """What became of a pull. What it added waits in the inbox."""

    added: int
    known: int = Field(description="Posts that had come before, or were published from here.")
    skipped: int = Field(description="Posts that no entry could hold.")
    complete: bool = Field(description="False: there is more. Pull again, or leave it to the hourly sync.")
