"""Whatever is done to files, in whatever order: each is as its steps left it, and the account has what room is left."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from fastapi import FastAPI
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lockleaf.server.features.media import upkeep
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.settings import MediaSettings, Settings
from tests.support.account_holders import served
from tests.support.accounts import Owner, register
from tests.support.media import complete, declaration, fetch, keys_in_store, object_key, send

QUOTA = 45
UNDIGESTED = UUID(int=2)
"""The file that is declared without its digest."""
FILES = {UUID(int=number): bytes([number]) * size for number, size in ((1, 10), (2, 20), (3, 30))}

Step = Literal["declare", "send", "complete", "delete", "delete for good", "restore"]
STEPS: st.SearchStrategy[list[tuple[Step, UUID]]] = st.lists(
    st.tuples(
        st.sampled_from(["declare", "send", "complete", "delete", "delete for good", "restore"]),
        st.sampled_from(sorted(FILES)),
    ),
    max_size=14,
)


@dataclass
class File:
    """What is expected of a file that was declared."""

    upload: dict[str, Any]
    sent: bool = False
    stored: bool = False
    deleted: bool = False


async def take(owner: Owner, files: dict[UUID, File], step: Step, media_id: UUID) -> None:
    """Do a step, and hold its answer to what was expected."""
    file, path = files.get(media_id), f"/media/{media_id}"
    match step:
        case "declare":
            used = sum(len(FILES[each]) for each in files)
            body = declaration(FILES[media_id], id=str(media_id))
            if media_id == UNDIGESTED:
                del body["sha256"]
            answer = await owner.request("POST", "/media/upload", json=body)
            expected = 507 if file is None and used + len(FILES[media_id]) > QUOTA else 201
            if file is not None and file.deleted:
                expected = 409
            assert answer.status_code == expected
            if file is None and expected == 201:
                files[media_id] = File(answer.json()["upload"])
        case "send" if file is not None:
            answer = await send(owner.http, file.upload, FILES[media_id])
            # What it was sent to is deleted behind its completion, sooner or later.
            assert answer.is_success or (media_id == UNDIGESTED and file.stored)
            file.sent = True
        case "complete":
            answer = await complete(owner, str(media_id))
            assert answer.status_code == (404 if file is None else 200 if file.sent else 409)
            if file is not None:
                file.stored |= file.sent
        case "delete" | "delete for good":
            answer = await owner.request("DELETE", path, params={"for_good": str(step != "delete").lower()})
            assert answer.status_code == (404 if file is None else 204)
            if file is not None and file.stored and step == "delete":
                file.deleted = True
            else:
                files.pop(media_id, None)
        case "restore":
            answer = await owner.request("POST", f"{path}/restore")
            assert answer.status_code == (404 if file is None else 200)
            if file is not None:
                file.deleted = False


async def check(app: FastAPI, owner: Owner, steps: list[tuple[Step, UUID]]) -> None:
    parts = app.state.parts
    files: dict[UUID, File] = {}
    for step, media_id in steps:
        await take(owner, files, step, media_id)
    listed = (await owner.request("GET", "/media?deleted=all")).json()["items"]
    assert {UUID(item["id"]): (item["state"] == "stored", item.get("deleted_at") is not None) for item in listed} == {
        media_id: (file.stored, file.deleted) for media_id, file in files.items()
    }
    storage = (await owner.request("GET", "/auth/features")).json()["storage"]
    assert storage["media_used_bytes"] == sum(len(FILES[media_id]) for media_id in files) <= QUOTA
    await upkeep.remove_staged(parts[Removals])
    in_store = await keys_in_store(parts)
    for media_id, file in files.items():
        assert (await object_key(parts, owner, str(media_id)) in in_store) == file.sent
        if file.stored and not file.deleted:
            assert await fetch(owner, str(media_id)) == FILES[media_id]
    assert len(in_store) == sum(file.sent for file in files.values())
    await owner.request("DELETE", "/users/me/privacy/revoke")
    await upkeep.remove_staged(parts[Removals])
    assert await keys_in_store(parts) == set()


def test_files_and_room_are_what_the_steps_left_of_them(settings: Settings) -> None:
    chosen = settings.model_copy(update={"media": MediaSettings(quota_bytes_e2e=QUOTA)})
    with asyncio.Runner() as runner:
        serving = served(chosen)
        app, http = runner.run(serving.__aenter__())

        async def run(steps: list[tuple[Step, UUID]]) -> None:
            await check(app, await register(http), steps)

        @hypothesis_settings(max_examples=15)
        @given(steps=STEPS)
        def holds(steps: list[tuple[Step, UUID]]) -> None:
            runner.run(run(steps))

        try:
            holds()
        finally:
            runner.run(serving.__aexit__(None, None, None))
