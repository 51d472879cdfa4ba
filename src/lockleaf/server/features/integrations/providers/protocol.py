"""What every network is to us: how one is connected, read, written to, and left.

A provider speaks to its network and keeps nothing. What it must know again the next time (a grant) it hands out, and is
handed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

__all__ = [
    "AccessGrant",
    "Authorization",
    "FoundPost",
    "NetworkAccount",
    "OutgoingPost",
    "Picture",
    "PictureLink",
    "Post",
    "PostPage",
    "Provider",
    "Published",
    "Target",
]


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """What a user allowed, and by what it is shown to the network. Secret.

    Attributes:
        instance: the origin of the instance, for a network that has many.
        token: the access token.
        expires_at: when the token ends; None for one that does not.
        client_id, client_secret: of our application at the instance, where each has its own.
    """

    instance: str | None
    token: str = field(repr=False)
    expires_at: datetime | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """Something of the account's that can be written to: a Page, or the account itself."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class NetworkAccount:
    """Whose account at the network it is."""

    id: str
    name: str
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Authorization:
    """Where a user is sent to allow it.

    Attributes:
        url: to be opened in a browser.
        application: our application's id and secret there, if they were registered for it.
    """

    url: str
    application: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PictureLink:
    """A picture of a post, by its address."""

    url: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it becomes an entry.

    Attributes:
        id: by which the network knows it.
        others: how many attachments it has that are no pictures.
    """

    id: str
    text: str
    created_at: datetime
    title: str | None = None
    url: str | None = None
    tags: tuple[str, ...] = ()
    pictures: tuple[PictureLink, ...] = ()
    others: int = 0


@dataclass(frozen=True, slots=True)
class PostPage:
    """Some posts.

    Attributes:
        position: from where to go on, once these are taken over.
        more: whether there is anything to go on to now.
        pause: seconds until the network wants to be asked again, where it said so.
    """

    posts: tuple[Post, ...]
    position: str | None
    more: bool
    pause: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that goes out."""

    name: str
    media_type: str
    data: bytes = field(repr=False)
    description: str | None = None


@dataclass(frozen=True, slots=True)
class OutgoingPost:
    """What is published.

    Attributes:
        target: the id of one of the account's targets; None for the account itself.
        visibility: as the network names it; None for what its user has set there.
        key: the same whenever the same is tried again: a network that knows such keys does it once.
    """

    text: str = field(repr=False)
    key: str
    target: str | None = None
    visibility: str | None = None
    pictures: tuple[Picture, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Published:
    """A post that is there now."""

    id: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class FoundPost:
    """A post that the network lists, with the text as it was sent."""

    id: str
    text: str
    created_at: datetime
    url: str | None = None


class Provider(Protocol):
    """A network.

    Every method but `connected` speaks to it, and can raise `NetworkFailure`.
    """

    name: str
    visibilities: tuple[str, ...]
    """What a post may be, beside what its user has set there; the first is the default of the network's interface."""
    key_seconds: int
    """How long the network knows the key of a post; 0 where it knows none."""
    most_pictures: int

    def connected(self, instance: str | None) -> str | None:
        """Return the origin of the instance that a person names; None for a network that has but one place.

        Raises:
            UnsafeAddress: it may not be reached.
        """
        ...

    async def connect(
        self, instance: str | None, redirect_uri: str, state: str, challenge: str, application: tuple[str, str] | None
    ) -> Authorization:
        """Return where the user is sent.

        Arguments:
            state: comes back with the user.
            challenge: the S256 code challenge.
            application: ours at the instance, if it was registered before.
        """
        ...

    async def callback(
        self, instance: str | None, redirect_uri: str, code: str, verifier: str, application: tuple[str, str] | None
    ) -> tuple[AccessGrant, NetworkAccount]:
        """Return what the code of a user who allowed it is good for, and who that is."""
        ...

    async def refresh(self, grant: AccessGrant, now: datetime) -> AccessGrant | None:
        """Return a fresher grant; None where the present one is good for a while."""
        ...

    async def pull(self, grant: AccessGrant, profile: NetworkAccount, position: str | None) -> PostPage:
        """Return posts from a position on, None for the beginning."""
        ...

    async def push(self, grant: AccessGrant, profile: NetworkAccount, outgoing: OutgoingPost) -> Published:
        """Publish. A failure that is `in_doubt` may have been a success: `find` tells, or the same key again."""
        ...

    def find(
        self, grant: AccessGrant, profile: NetworkAccount, target: str | None, since: datetime
    ) -> AsyncIterator[FoundPost]:
        """Yield what the network lists as published since a time, newest first."""
        ...

    async def disconnect(self, grant: AccessGrant) -> None:
        """Have the network forget the grant."""
        ...
