"""What the server has of the account and can see of it, as it answers now."""

from __future__ import annotations

from datetime import datetime

from lockleaf import client as sdk
from lockleaf.app.models.server_view import (
    SeenEntry,
    SeenFact,
    SeenFacts,
    SeenLabel,
    SeenText,
    ServerSees,
    Sighting,
)
from lockleaf.app.rendering import excerpt
from lockleaf.app.routing import Call, Endpoints

__all__ = ["endpoints"]

endpoints = Endpoints()


@endpoints.add("GET", "/server-view")
async def get_server_view(call: Call[None]) -> ServerSees:
    """Ask the server for what it holds of the account, and say what it can see of that."""
    client = call.desk.client
    profile = client.profile
    if profile is None or profile.is_local:
        return ServerSees(state="no_account")
    if profile.account_deleted:
        return ServerSees(state="deleted", server=profile.server)
    if not client.is_logged_in:
        return ServerSees(state="logged_out", server=profile.server)
    view = await client.privacy.server_view()
    return ServerSees(
        state="shown",
        server=view.server,
        custody=view.custody,
        tier=view.tier,
        entries=tuple(map(_entry, view.entries)),
        groups=tuple(SeenFacts(title=each.title, facts=tuple(map(_fact, each.facts))) for each in view.groups),
        visibility=tuple(Sighting(what=each.what, seen=each.seen, how=each.how) for each in view.visibility),
    )


def _fact(fact: sdk.Fact) -> SeenFact:
    value = fact.value.isoformat() if isinstance(fact.value, datetime) else fact.value
    return SeenFact(what=fact.what, value=value, unit=fact.unit)


def _entry(stored: sdk.StoredEntry) -> SeenEntry:
    entry, opened = stored.entry, stored.opened
    return SeenEntry(
        id=entry.id,
        day=entry.day.isoformat(),
        here=SeenText(title=entry.title, excerpt=excerpt(entry.body)),
        mood=entry.mood,
        tags=entry.tags,
        pending=entry.pending,
        revision=stored.revision,
        seq=stored.seq,
        size=stored.size,
        beginning=stored.beginning.hex(),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        device=stored.device,
        labels=tuple(SeenLabel(digest=each.digest.hex(), kind=each.kind, value=each.value) for each in stored.labels),
        source=stored.source,
        occurred_at=stored.occurred_at,
        verified=stored.is_known,
        opened=None if opened is None else SeenText(title=opened.title, excerpt=excerpt(opened.body)),
    )
