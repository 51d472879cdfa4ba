"""An entry on a social network: shown just as it would leave the encryption, and published when its user says so."""

from __future__ import annotations

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.models.connections import (
    OutgoingPicture,
    PreparedPublication,
    PreparePublication,
    Publish,
    Published,
)
from lockleaf.app.problems import Refused
from lockleaf.app.routes.connections import connection_of
from lockleaf.app.routing import Call, Endpoints
from lockleaf.app.views import web_address

__all__ = ["endpoints"]

endpoints = Endpoints()


@endpoints.add("POST", "/entries/{entry_id}/publication")
async def prepare_publication(call: Call[PreparePublication]) -> PreparedPublication:
    """Return just what would be published of an entry; nothing is sent."""
    entry = await call.desk.journal.get(call.path["entry_id"])
    made = await _prepared(call.desk, entry, call.body)
    sizes = dict(zip(_taken(entry, call.body), (len(each.data) for each in made.pictures), strict=True))
    possible = sdk.publishable(entry)
    return PreparedPublication(
        version=entry.version or "",
        text=made.text,
        pictures=tuple(
            OutgoingPicture(
                id=each.media_id,
                name=each.name,
                size=sizes.get(each.media_id, each.size),
                taken=each.media_id in sizes,
            )
            for each in possible
        ),
        others=tuple(each.name for each in entry.attachments if each not in possible),
    )


@endpoints.add("POST", "/entries/{entry_id}/publish")
async def publish_entry(call: Call[Publish]) -> Published:
    """Publish an entry as it was shown; what is published there is not published again."""
    desk, wanted = call.desk, call.body
    entry = await desk.journal.get(call.path["entry_id"])
    if (entry.version or "") != wanted.version:
        raise Refused(409, "entry_changed", "The entry has changed since you were shown it. Nothing was published.")
    connection = await connection_of(desk, wanted.connection_id)
    made = await _prepared(desk, entry, wanted)
    async with desk.without_sync():
        done = await sdk.publish(
            desk.client,
            made,
            connection.provider,
            target=wanted.page,
            visibility=wanted.visibility,
            integration_id=connection.id,
        )
    await desk.written()
    return Published(status=done.status, url=web_address(done.url))


async def _prepared(desk: Desk, entry: sdk.Entry, wanted: PreparePublication) -> sdk.Publication:
    taken = _taken(entry, wanted)
    if len(taken) != len(set(wanted.pictures)):
        raise Refused(409, "entry_changed", "The entry no longer has one of these pictures. Nothing was published.")
    return await sdk.prepare_publication(desk.client, entry, attachments=taken, with_metadata=wanted.with_metadata)


def _taken(entry: sdk.Entry, wanted: PreparePublication) -> list[str]:
    """Return the ids of the pictures that go along, in the order in which they do."""
    return [each.media_id for each in sdk.publishable(entry) if each.media_id in wanted.pictures]
