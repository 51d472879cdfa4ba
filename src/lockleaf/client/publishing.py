"""What of an entry leaves for a social network: put together here, to be shown to its user before it goes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from lockleaf.client.client import Client
from lockleaf.client.errors import NothingToPublish, TooManyPictures
from lockleaf.client.media.bare_pictures import bare_picture
from lockleaf.client.records.attachments import Attachment
from lockleaf.client.records.entries import Entry
from lockleaf.wire.integrations import Picture, PushResult

__all__ = ["Publication", "prepare_publication", "publish", "publishable"]

_PICTURE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""Media types of the pictures that networks take."""
_MOST_PICTURES = 10


@dataclass(frozen=True, slots=True)
class Publication:
    """Just what leaves this device when an entry is published, in the clear.

    Attributes:
        entry: the entry as it was read for it.
        text: its title and its text.
        pictures: their names and bytes, as they go out.
    """

    entry: Entry
    text: str
    pictures: tuple[Picture, ...] = ()


def publishable(entry: Entry) -> tuple[Attachment, ...]:
    """Return the attachments of an entry that networks take."""
    return tuple(each for each in entry.attachments if each.media_type in _PICTURE_TYPES)


async def prepare_publication(
    client: Client,
    entry: Entry,
    *,
    attachments: Collection[str] = (),
    pictures: Sequence[Picture] = (),
    with_metadata: bool = False,
) -> Publication:
    """Put together what is published of an entry; nothing is sent.

    Args:
        attachments: the ids of attached pictures that go with it; they are fetched and opened here.
        pictures: further ones.
        with_metadata: pictures keep the place, the camera and the time that were written into them.

    Raises:
        NothingToPublish: the entry has neither title nor text.
        TooManyPictures: there are more than ten.
        PictureUnreadable: a picture is damaged, or none that networks take.
        AttachmentMissing, TransportError: an attached picture cannot be had; see `Media.copy`.
    """
    text = "\n\n".join(part.strip() for part in (entry.title, entry.body) if part and part.strip())
    if not text:
        raise NothingToPublish
    attached = [each for each in publishable(entry) if each.media_id in attachments]
    if len(attached) + len(pictures) > _MOST_PICTURES:
        raise TooManyPictures
    taken = [*pictures, *[await _fetched(client, each) for each in attached]]
    if not with_metadata:
        taken = [await asyncio.to_thread(_bare, each) for each in taken]
    return Publication(entry, text, tuple(taken))


async def publish(
    client: Client,
    publication: Publication,
    provider: str,
    *,
    target: str | None = None,
    visibility: str | None = None,
    integration_id: UUID | None = None,
) -> PushResult:
    """Publish what was prepared; an entry that is published there is not published again.

    Args:
        provider: ``facebook`` or ``mastodon``.
        target: with facebook, the id of a Page.
        visibility: with mastodon, one of the connection's.
        integration_id: which connection, where several of one network are there.

    Raises:
        NotLoggedIn: there is no session.
        TransportError, ApiError: as for `Networks`.
    """
    await client.sync()
    return await client.networks.publish(
        publication.entry.id,
        provider,
        text=publication.text,
        target=target,
        visibility=visibility,
        pictures=publication.pictures,
        with_metadata=True,  # they are as they shall be
        integration_id=integration_id,
    )


async def _fetched(client: Client, attachment: Attachment) -> Picture:
    data = io.BytesIO()
    await client.media.copy(attachment, data)
    return Picture(name=attachment.name, media_type=attachment.media_type, data=data.getvalue())


def _bare(picture: Picture) -> Picture:
    return picture.model_copy(update={"data": bare_picture(picture.data, picture.media_type)})
