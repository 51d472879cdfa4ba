"""Conflicts: both versions, and the choice."""

from __future__ import annotations

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.differences import differences
from lockleaf.app.models.conflicts import ConflictList, ConflictView, Resolve
from lockleaf.app.problems import Refused
from lockleaf.app.routing import Call, Endpoints
from lockleaf.app.views import entry_view

__all__ = ["endpoints"]

endpoints = Endpoints()


@endpoints.add("GET", "/conflicts")
async def list_conflicts(call: Call[None]) -> ConflictList:
    """Return what waits for a choice, oldest first."""
    return await _listed(call.desk)


@endpoints.add("POST", "/conflicts/{conflict_id}")
async def resolve_conflict(call: Call[Resolve]) -> ConflictList:
    """Choose one version, or a merged one; the choice is an edit like any other."""
    body = call.body
    if body.choice == "merged" and body.body is None:
        raise Refused(422, "invalid", "Invalid: body.")
    title = body.title if "title" in body.model_fields_set else sdk.UNCHANGED
    try:
        await call.desk.journal.resolve(
            call.path["conflict_id"],
            body.choice,
            base=body.base,
            merged_body=body.body if body.choice == "merged" else None,
            merged_title=title if body.choice == "merged" else sdk.UNCHANGED,
        )
    finally:
        await call.desk.written()
    return await _listed(call.desk)


async def _listed(desk: Desk) -> ConflictList:
    return ConflictList(conflicts=tuple(map(_view, await desk.journal.conflicts())))


def _view(conflict: sdk.Conflict) -> ConflictView:
    local, remote = conflict.local, conflict.remote
    return ConflictView(
        id=conflict.id,
        entry_id=conflict.entry_id,
        local=None if local is None else entry_view(local),
        remote=None if remote is None else entry_view(remote),
        device=conflict.device_id,
        own=conflict.own,
        detected_at=conflict.detected_at,
        authentic=conflict.authentic,
        differences=differences("" if remote is None else remote.body, "" if local is None else local.body),
    )
