"""Social networks: connections, and what an entry is published with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from lockleaf.app.models.account import Line
from lockleaf.app.models.base import Answer, Body

__all__ = [
    "BeginConnection",
    "BegunConnection",
    "ConnectionView",
    "Connections",
    "FinishConnection",
    "NetworkPage",
    "OutgoingPicture",
    "PreparePublication",
    "PreparedPublication",
    "Publish",
    "Published",
    "PulledPosts",
]

Network = Literal["mastodon", "facebook"]
_MediaId = Annotated[str, Field(min_length=1, max_length=64)]


class NetworkPage(Answer):
    """A Page that can be written to."""

    id: str
    name: str


class ConnectionView(Answer):
    """A connected network.

    Attributes:
        name: of the account there.
        connected: False where it has to be connected again.
        trouble: what the last pull ended with, as a sentence.
        pages: with facebook, what an entry can go to; visibilities: with mastodon, who can be let see it.
        unknown: how many entries were published or not, nobody knows which.
    """

    id: str
    network: str
    name: str
    connected: bool
    trouble: str | None
    pages: tuple[NetworkPage, ...]
    visibilities: tuple[str, ...]
    connected_at: datetime
    pulled_at: datetime | None
    paused_until: datetime | None
    unknown: int


class Connections(Answer):
    """All of them, oldest first."""

    connections: tuple[ConnectionView, ...]


class BeginConnection(Body):
    """A network that is to be connected. ``instance``: with mastodon, as ``mastodon.social``."""

    network: Network
    instance: Line | None = None


class BegunConnection(Answer):
    """Where its user allows it: an address to be opened in the browser, and the host that it leads to."""

    address: str
    host: str
    expires_at: datetime


class FinishConnection(Body):
    """What the network showed: its code, or the address that bears it."""

    code: Annotated[str, Field(min_length=1, max_length=8192)]


class PulledPosts(Answer):
    """How many posts came into the inbox; without ``complete`` there are more."""

    added: int
    complete: bool


class PreparePublication(Body):
    """What shall go out with an entry's text. ``pictures``: of its attachments, by their ids."""

    pictures: Annotated[tuple[_MediaId, ...], Field(max_length=100)] = ()
    with_metadata: bool = False


class OutgoingPicture(Answer):
    """A picture. ``size``: in bytes, as it goes out where it is taken along, else as it is."""

    id: str
    name: str
    size: int
    taken: bool


class PreparedPublication(Answer):
    """Just what would leave the encryption.

    Attributes:
        version: of the entry that it was made of.
        pictures: all that could go; those that are ``taken`` do.
        others: the names of attachments that networks take none of.
    """

    version: str
    text: str
    pictures: tuple[OutgoingPicture, ...]
    others: tuple[str, ...]


class Publish(PreparePublication):
    """Publish what was shown: it is refused where the entry is no longer of that ``version``."""

    connection_id: UUID
    version: Annotated[str, Field(max_length=200)]
    page: Line | None = None
    visibility: Line | None = None


class Published(Answer):
    """What became of it; ``unknown``: the network's answer was lost."""

    status: Literal["published", "unknown"]
    url: str | None
