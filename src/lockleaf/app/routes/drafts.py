"""Drafts: kept sealed as one types, and found again after any crash."""

from __future__ import annotations

import asyncio
from typing import Any

from lockleaf import client as sdk
from lockleaf.app.models.drafts import DraftBody, DraftFields, DraftList, DraftSummary, DraftView, Saved
from lockleaf.app.problems import Refused
from lockleaf.app.rendering import excerpt
from lockleaf.app.routing import Call, Endpoints

__all__ = ["endpoints"]

endpoints = Endpoints()


@endpoints.add("GET", "/drafts")
async def list_drafts(call: Call[None]) -> DraftList:
    """Return the drafts of this device, those of the command line among them."""
    drafts = call.desk.client.drafts

    def listed() -> tuple[DraftSummary, ...]:
        return tuple(_summary(draft, drafts.content(draft)) for draft in drafts.list() if draft.conflict_id is None)

    async with call.desk.drafting:
        return DraftList(drafts=await asyncio.to_thread(listed))


@endpoints.add("GET", "/drafts/{key}")
async def get_draft(call: Call[None]) -> DraftView:
    """Return one draft."""
    drafts = call.desk.client.drafts

    def shown() -> DraftView:
        draft = drafts.find(call.path["key"])
        content = drafts.content(draft)
        return DraftView(
            key=draft.id,
            entry_id=draft.entry_id,
            base=content.base,
            fields=_fields(content),
            saved_at=draft.started,
        )

    async with call.desk.drafting:
        return await asyncio.to_thread(shown)


@endpoints.add("PUT", "/drafts/{key}")
async def put_draft(call: Call[DraftBody]) -> Saved:
    """Keep a draft, sealed, in place of what it held before."""
    drafts, given, key = call.desk.client.drafts, call.body, call.path["key"]
    fields = given.fields.model_dump(exclude_unset=True, exclude={"body"}, mode="json")
    if "entry_date" in fields:
        fields["date"] = fields.pop("entry_date")

    async with call.desk.drafting:
        initial = b""
        if given.entry_id is not None:
            initial = (await call.desk.journal.get(given.entry_id)).body.encode()
        content = sdk.DraftContent(
            text=_encoded(given.fields.body),
            initial=initial,
            fields={name: value for name, value in fields.items() if value not in (None, "", [], {})},
            base=given.base,
            typed_fields=True,
        )

        def keep() -> sdk.UnsavedDraft:
            try:
                draft = drafts.find(key)
            except sdk.DraftNotFound:
                purpose: sdk.Purpose = "write" if given.entry_id is None else "edit"
                return drafts.begin(purpose, content, entry_id=given.entry_id, draft_id=key)
            drafts.keep(draft, content)
            return draft

        draft = await asyncio.to_thread(keep)
    return Saved(key=draft.id, saved_at=draft.started)


@endpoints.add("DELETE", "/drafts/{key}")
async def delete_draft(call: Call[None]) -> None:
    """Forget a draft that nobody wants."""
    drafts = call.desk.client.drafts
    async with call.desk.drafting:
        await asyncio.to_thread(lambda: drafts.end(drafts.find(call.path["key"])))


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Refused(422, "invalid", "The text cannot be written as UTF-8.") from None


def _fields(content: sdk.DraftContent) -> DraftFields:
    known: dict[str, Any] = {name: value for name, value in content.fields.items() if name in DraftFields.model_fields}
    if "date" in content.fields:
        known["entry_date"] = content.fields["date"]
    return DraftFields(body=content.text.decode("utf-8", "replace"), **known)


def _summary(draft: sdk.UnsavedDraft, content: sdk.DraftContent) -> DraftSummary:
    fields = _fields(content)
    return DraftSummary(
        key=draft.id,
        entry_id=draft.entry_id,
        title=fields.title,
        excerpt=excerpt(fields.body),
        saved_at=draft.started,
        words=len(fields.body.split()),
    )
