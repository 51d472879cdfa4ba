"""The inbox with the whole SDK: looked at offline, decided once for all devices, and never trusted."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI

from lockleaf.client import Client
from lockleaf.client.errors import InboxItemNotFound, InboxItemUnreadable, ServerUnreachable, TierRequired
from lockleaf.crypto import identity
from lockleaf.server.platform.events import EventHub
from lockleaf.wire.codec import pack
from tests.support.diarist import PASSWORD, Diarist, caught
from tests.support.lying_server import Answer, Honest, Lie, LyingServer, Request
from tests.support.metric_contexts import contexts
from tests.support.senders import POST, put_in


def user_of(client: Client) -> UUID:
    assert client.profile is not None
    return client.profile.user_id


async def waiting_on_the_server(database_url: str, client: Client) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM inbox WHERE user_id = $1", user_of(client))
        return count
    finally:
        await connection.close()


async def test_an_item_is_found_at_sync_and_can_be_read_and_accepted_offline(
    app: FastAPI, ada: Diarist, liar: LyingServer, database_url: str
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await put_in(app, user_of(laptop), content={**POST, "weather": "haze", "location": "Hove"})
    assert (await laptop.sync()).inbox == 1
    liar.tell(Unreachable())
    (item,) = await laptop.inbox.list()
    assert (item.title, item.body, item.tags, item.provider) == ("A picture", "The sea at noon.", ("sea",), "web")
    assert (item.readable, item.authenticated, item.preview) == (True, False, "A picture")
    assert await laptop.inbox.get(item.id[:8]) == item
    assert await laptop.journal.list() == []  # nothing becomes of it by itself
    entry = await laptop.inbox.accept(item.id)
    assert (entry.title, entry.body, entry.date, entry.source) == (item.title, item.body, item.date, "web")
    assert (item.weather, item.location) == (entry.weather, entry.location) == ("haze", "Hove")
    assert await laptop.inbox.list() == []
    await caught(laptop.sync(), ServerUnreachable)
    assert await waiting_on_the_server(database_url, laptop) == 1
    liar.tell(Lie())
    report = await laptop.sync()
    assert (report.pushed, report.inbox) == (1, 0)
    assert await waiting_on_the_server(database_url, laptop) == 0


class Unreachable(Lie):
    """Cuts every connection."""

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        return None


class DropsThePush(Lie):
    """Says that it has no room for entries."""

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        return None if request.path == "/sync/push" else await honest(request)


async def test_the_server_keeps_an_item_until_it_has_confirmed_the_entry(
    app: FastAPI, ada: Diarist, liar: LyingServer, database_url: str
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    item_id = await put_in(app, user_of(laptop))
    await laptop.sync()
    await laptop.inbox.accept(str(item_id))
    liar.tell(DropsThePush())
    await caught(laptop.sync(), ServerUnreachable)
    assert await waiting_on_the_server(database_url, laptop) == 1
    liar.tell(Lie())
    await laptop.sync()
    assert await waiting_on_the_server(database_url, laptop) == 0


async def test_two_devices_that_accept_the_same_item_make_one_entry(
    app: FastAPI, ada: Diarist, database_url: str
) -> None:
    laptop, phone = await ada.first(), await ada.another()
    undated = {name: value for name, value in POST.items() if name != "occurred_at"}
    for number, content in enumerate((POST, undated)):
        await put_in(app, user_of(laptop), str(number), content)
    for device in (laptop, phone):
        await device.sync()
        for item in await device.inbox.list():
            await device.inbox.accept(item.id)
    for device in (laptop, phone, laptop):
        report = await device.sync()
        assert (report.conflicts, report.rejected) == (0, ())
    assert await laptop.journal.count() == 2
    assert [entry.id for entry in await laptop.journal.list()] == [entry.id for entry in await phone.journal.list()]
    assert await waiting_on_the_server(database_url, laptop) == 0


async def test_a_refused_item_is_gone_for_every_device(app: FastAPI, ada: Diarist, database_url: str) -> None:
    laptop, phone = await ada.first(), await ada.another()
    item_id = str(await put_in(app, user_of(laptop)))
    await laptop.sync()
    await phone.sync()
    await laptop.inbox.refuse(item_id)
    assert await laptop.inbox.count() == 0
    assert await phone.inbox.count() == 1
    await laptop.sync()
    assert await waiting_on_the_server(database_url, laptop) == 0
    assert (await phone.sync()).inbox == 0
    with pytest.raises(InboxItemNotFound):
        await phone.inbox.accept(item_id)
    assert await phone.journal.list() == []


async def test_an_entry_that_is_there_already_stays_and_a_deleted_one_comes_back(app: FastAPI, ada: Diarist) -> None:
    laptop = await ada.first()
    for text in ("as it was edited", None):
        item_id = str(await put_in(app, user_of(laptop)))
        await laptop.sync()
        entry = await laptop.inbox.accept(item_id)
        await laptop.sync()
        if text is not None:
            await laptop.journal.edit(entry.id, body=text)
            await laptop.sync()
        else:
            assert entry.body == "as it was edited"
            await laptop.journal.delete(entry.id)
            await laptop.sync()
    item_id = str(await put_in(app, user_of(laptop)))
    await laptop.sync()
    entry = await laptop.inbox.accept(item_id)
    assert (entry.deleted, entry.body) == (False, POST["body"])
    await laptop.sync()
    assert await laptop.journal.count() == 1


async def test_an_item_sealed_before_a_rotation_still_opens(app: FastAPI, ada: Diarist) -> None:
    laptop = await ada.first()
    await put_in(app, user_of(laptop), "before")
    await laptop.account.rotate_keyring(PASSWORD)
    await put_in(app, user_of(laptop), "behind")
    await laptop.sync()
    assert [item.readable for item in await laptop.inbox.list()] == [True, True]


async def _insert(database_url: str, client: Client, provider: str, sealed: bytes) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "INSERT INTO inbox (user_id, item_id, provider, sealed) VALUES ($1, gen_random_uuid(), $2, $3)",
            user_of(client),
            provider,
            sealed,
        )
    finally:
        await connection.close()


GOOD: dict[str, Any] = {"provider": "web", "external_id": "1", "body": "text"}
STRANGE: dict[str, Any] = {
    "no map": [1, 2, 3],
    "nothing": {},
    "no text": {**GOOD, "body": b"bytes"},
    "invalid tags": {**GOOD, "tags": "sea"},
    "an invalid date": {**GOOD, "occurred_at": "yesterday"},
    "another provider": {**GOOD, "provider": "bank"},
    "an endless name": {**GOOD, "external_id": "x" * 10_000},
    "deep": {**GOOD, "body": [[[[]]]]},
}


@pytest.mark.parametrize("inside", STRANGE.values(), ids=STRANGE.keys())
async def test_an_item_that_is_no_entry_is_shown_as_such_and_can_be_refused(
    ada: Diarist, database_url: str, inside: Any
) -> None:
    laptop = await ada.first()
    assert laptop.profile is not None
    await _insert(database_url, laptop, "web", identity.seal_to(laptop.profile.recipient, pack(inside)))
    assert (await laptop.sync()).inbox == 1
    (item,) = await laptop.inbox.list()
    assert (item.readable, item.title, item.body, item.preview) == (False, None, "", "")
    with pytest.raises(InboxItemUnreadable):
        await laptop.inbox.accept(item.id)
    await laptop.inbox.refuse(item.id)
    assert (await laptop.sync()).inbox == 0
    assert await waiting_on_the_server(database_url, laptop) == 0


async def test_bytes_that_nobody_sealed_to_the_account_do_not_open_and_harm_nothing(
    ada: Diarist, database_url: str
) -> None:
    laptop = await ada.first()
    stranger = identity.recipient_from_seed(secrets.token_bytes(32))
    whole = identity.seal_to(stranger, pack(GOOD))
    for sealed in (whole, whole[:40], b"", b"\x00" * 64, b"age-encryption.org/v1\n-> X25519 \n"):
        await _insert(database_url, laptop, "web", sealed)
    assert (await laptop.sync()).inbox == 5
    assert not any(item.readable for item in await laptop.inbox.list())


async def test_what_waits_here_outlives_a_lowered_tier(app: FastAPI, ada: Diarist) -> None:
    laptop = await ada.first()
    await laptop.journal.write(body="an entry")
    item_id = str(await put_in(app, user_of(laptop)))
    await laptop.sync()
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await caught(laptop.sync(), TierRequired)
    assert await laptop.inbox.count() == 1
    await laptop.privacy.set_tier("full_sync", he_public_key=contexts().public)
    assert (await laptop.sync()).inbox == 1
    await laptop.inbox.accept(item_id)
    assert (await laptop.sync()).pushed == 1
    assert await laptop.journal.count() == 2


async def test_a_device_that_watches_hears_of_a_new_item(app: FastAPI, ada: Diarist) -> None:
    laptop = await ada.first()
    await app.state.parts[EventHub].listening.wait()
    reports = laptop.sync.watch(every=600)
    async with asyncio.timeout(60):
        assert (await anext(reports)).inbox == 0
        await put_in(app, user_of(laptop))
        async for report in reports:
            if report.inbox == 1:
                break
    await reports.aclose()  # type: ignore[attr-defined]


async def test_nothing_of_an_item_is_in_the_devices_files_in_the_clear(app: FastAPI, ada: Diarist) -> None:
    laptop = await ada.first()
    await put_in(app, user_of(laptop), content={"body": "quite-unmistakable words"})
    await laptop.sync()
    (item,) = await laptop.inbox.list()
    assert item.body == "quite-unmistakable words"
    files = [path for path in ada.home.rglob("*") if path.is_file()]
    assert any("store.sqlite3" in path.name for path in files)
    for path in files:
        assert b"unmistakable" not in path.read_bytes()
    assert "unmistakable" not in json.dumps(ada.heard)
