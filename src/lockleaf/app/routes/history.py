"""What an entry held before, and what changed since."""

from __future__ import annotations

from lockleaf import client as sdk
from lockleaf.app.differences import differences
from lockleaf.app.models.entries import RevisionList, RevisionSummary, RevisionView
from lockleaf.app.problems import Refused
from lockleaf.app.rendering import render
from lockleaf.app.routing import Call, Endpoints
from lockleaf.app.views import addresses

__all__ = ["endpoints"]

endpoints = Endpoints()
_MOST = 100


@endpoints.add("GET", "/entries/{entry_id}/history")
async def list_history(call: Call[None]) -> RevisionList:
    """Return earlier states, newest first: those of the server where it answers, else those of this device."""
    client, entry_id = call.desk.client, call.path["entry_id"]
    complete = client.is_logged_in
    try:
        found = await client.history(entry_id, limit=_MOST, offline=not complete)
    except sdk.TransportError:
        complete, found = False, await client.history(entry_id, limit=_MOST, offline=True)
    present = await call.desk.journal.get(entry_id)
    listed = [
        RevisionSummary(
            number=each.number,
            event=each.event,
            written_at=each.at,
            device=each.device_id,
            title=None if each.entry is None else each.entry.title,
            words=None if each.entry is None else len(each.entry.body.split()),
            verified=each.verified,
            current=each.number == str(present.revision) and not present.pending,
        )
        for each in found
    ]
    return RevisionList(revisions=tuple(listed), complete=complete)


@endpoints.add("GET", "/entries/{entry_id}/history/{number}")
async def get_revision(call: Call[None]) -> RevisionView:
    """Return one earlier state, and what changed from it to the entry as it is now."""
    entry_id = call.path["entry_id"]
    revision = await call.desk.client.revision(entry_id, call.path["number"])
    if revision.entry is None:
        raise Refused(404, "no_text", "This state of the entry is a deletion: it has no text.")
    present = await call.desk.journal.get(entry_id)
    entry = revision.entry
    return RevisionView(
        number=revision.number,
        written_at=revision.at,
        title=entry.title,
        body=entry.body,
        html=render(entry.body, addresses(present)),
        mood=entry.mood,
        tags=entry.tags,
        differences=differences(entry.body, present.body),
    )
