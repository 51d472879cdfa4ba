"""Room is taken by what is declared, checked before a byte is sent, and never given twice."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.features.inbox import service as inbox
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import LimitSettings, MediaSettings, Settings
from lockleaf.server.records.quota import Quota, QuotaExceeded
from tests.support.account_holders import Person, problem, served
from tests.support.accounts import Owner, change, following, register
from tests.support.media import attach, declaration, declare, in_parts, two_parts
from tests.support.uce_holders import Thin

KIB = 1024


@asynccontextmanager
async def limited(
    settings: Settings, *, storage_bytes: int | None = None, **media: Any
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """A server that gives accounts so much room."""
    chosen = settings.model_copy(
        update={"limits": LimitSettings(storage_bytes=storage_bytes), "media": MediaSettings(**media)}
    )
    async with served(chosen) as parts:
        yield parts


async def storage(owner: Owner) -> dict[str, Any]:
    found: dict[str, Any] = (await owner.request("GET", "/auth/features")).json()["storage"]
    return found


async def test_a_file_that_has_no_room_in_its_custody_is_refused_before_it_is_sent(settings: Settings) -> None:
    async with limited(settings, quota_bytes_e2e=KIB, quota_bytes_uce=20) as (_, http):
        ada = await Thin().sign_up(http)
        owner, uce = await register(http), Owner(http, ada.email, ada.secret, ada.tokens)
        await attach(owner, secrets.token_bytes(1000))
        answer = await owner.request("POST", "/media/upload", json=declaration(bytes(25)))
        refused = problem(answer, 507, "quota_exceeded")
        assert (refused["limit"], refused["used"], refused["needed"]) == (KIB, 1000, 25)
        await declare(owner, declaration(bytes(24)))
        answer = await uce.request("POST", "/media/upload", json=declaration(bytes(21)))
        assert problem(answer, 507, "quota_exceeded")["limit"] == 20
        await declare(uce, declaration(bytes(20)))
        told = await storage(uce)
        assert (told["media_used_bytes"], told["media_limit_bytes"]) == (20, 20)


async def test_room_is_taken_from_the_declaration_on_and_free_when_it_is_given_up(settings: Settings) -> None:
    async with limited(settings, quota_bytes_e2e=100) as (_, http):
        owner = await register(http)
        declared = await declare(owner, declaration(bytes(100)))
        problem(await owner.request("POST", "/media/upload", json=declaration(b"x")), 507, "quota_exceeded")
        # Asked again, it takes no more.
        await declare(owner, declaration(bytes(100), id=declared["id"]))
        assert (await owner.request("DELETE", f"/media/{declared['id']}")).status_code == 204
        kept = await attach(owner, bytes(100))
        # What can be restored has its room still; what cannot has none.
        await owner.request("DELETE", f"/media/{kept}")
        problem(await owner.request("POST", "/media/upload", json=declaration(b"x")), 507, "quota_exceeded")
        await owner.request("DELETE", f"/media/{kept}?for_good=true")
        await declare(owner, declaration(bytes(100)))


async def test_of_many_at_once_only_those_that_fit_are_let_in(settings: Settings) -> None:
    async with limited(settings, quota_bytes_e2e=3 * KIB) as (_, http):
        owner = await register(http)
        body = declaration(bytes(KIB))
        answers = await asyncio.gather(*(owner.request("POST", "/media/upload", json=body) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [507] * 5


async def test_the_same_declaration_many_times_at_once_takes_its_room_once(settings: Settings) -> None:
    parts = two_parts()
    body = in_parts(parts, id=str(uuid4()))
    async with limited(settings, quota_bytes_e2e=body["size"]) as (_, http):
        owner = await register(http)
        answers = await asyncio.gather(*(owner.request("POST", "/media/upload", json=body) for _ in range(6)))
        assert {answer.status_code for answer in answers} == {201}
        # One upload in parts for all of them: whichever answer a client has, its parts come to the same place.
        assert len({answer.json()["parts"][0]["url"].partition("?")[0] for answer in answers}) == 1


async def test_media_are_of_the_room_that_the_account_has_for_everything(settings: Settings) -> None:
    async with limited(settings, storage_bytes=20 * KIB) as (_, http):
        owner = await register(http)
        await owner.results(change(payload=b"\x01\x01" + bytes(8 * KIB)))
        before = await storage(owner)
        assert before["limit_bytes"] == 20 * KIB
        features = (await owner.request("GET", "/auth/features")).json()["features"]
        assert features["media"] is True
        await attach(owner, bytes(4 * KIB))
        assert (await storage(owner))["used_bytes"] == before["used_bytes"] + 4 * KIB
        answer = await owner.request("POST", "/media/upload", json=declaration(bytes(12 * KIB)))
        refused = problem(answer, 507, "quota_exceeded")
        assert refused["used"] == before["used_bytes"] + 4 * KIB
        await declare(owner, declaration(bytes(20 * KIB - refused["used"])))
        assert (await storage(owner))["used_bytes"] == 20 * KIB


async def test_records_that_have_no_room_are_not_written_and_deletions_are(settings: Settings) -> None:
    async with limited(settings, storage_bytes=20 * KIB) as (_, http):
        owner = await register(http)
        first = change(payload=b"\x01\x01" + bytes(15 * KIB))
        await owner.results(first)
        before = await owner.feed()
        refused = await owner.request(
            "POST",
            "/entries",
            json={
                "id": str(uuid4()),
                "payload": "AQEA" + "A" * 8 * KIB,
                "base_revision": 0,
                "parent": "A" * 43 + "=",
            },
        )
        assert problem(refused, 507, "quota_exceeded")["limit"] == 20 * KIB
        assert await owner.feed() == before
        # A retry adds nothing, and is answered as ever.
        assert [result["status"] for result in await owner.results(first)] == ["unchanged"]
        [deleted] = await owner.results(following(first, deleted=True))
        assert deleted["status"] == "applied"


async def test_of_a_batch_what_has_room_is_written_and_the_rest_is_named(settings: Settings) -> None:
    async with limited(settings, storage_bytes=20 * KIB) as (_, http):
        owner = await register(http)
        kept = change(payload=b"\x01\x01" + bytes(12 * KIB))
        await owner.results(kept)
        large, small = change(payload=b"\x01\x01" + bytes(10 * KIB)), change()
        dispute = change(record_id=kept["record_id"], payload=b"\x01\x01" + bytes(10 * KIB), on_conflict="keep")
        fake = following(kept, deleted=True, payload=b"\x01\x01" + bytes(10 * KIB))
        results = await owner.results(large, small, dispute, fake, following(kept, deleted=True))
        told = [(result["status"], result.get("code")) for result in results]
        refused = ("rejected", "quota_exceeded")
        # What calls itself a deletion and is as large as an entry has no room either.
        assert told == [refused, ("applied", None), refused, refused, ("applied", None)]
        again = await owner.push(large, change(), atomic=True)
        assert [result["code"] for result in again["results"]] == ["quota_exceeded", "batch_refused"]
        assert (await storage(owner))["used_bytes"] <= 20 * KIB


@pytest.mark.parametrize("at_once", [4])
async def test_records_and_media_do_not_share_the_same_room(settings: Settings, at_once: int) -> None:
    async with limited(settings, storage_bytes=10 * KIB) as (_, http):
        owner = await register(http)
        vault = {"iv": "", "salt": "", "version": 1, "ciphertext": "x" * 6 * KIB}
        requests = [
            *(("POST", "/media/upload", declaration(bytes(6 * KIB))) for _ in range(at_once)),
            *(("POST", "/vault", {**vault, "vault_id": str(number)}) for number in range(at_once)),
        ]
        answers = await asyncio.gather(*(owner.request(method, path, json=body) for method, path, body in requests))
        assert sorted(answer.status_code for answer in answers) == [201] + [507] * (2 * at_once - 1)
        assert (await storage(owner))["used_bytes"] <= 10 * KIB


async def test_what_comes_into_an_inbox_needs_room_too_and_gives_it_back(settings: Settings) -> None:
    async with limited(settings, storage_bytes=KIB) as (app, http):
        person = await Person().sign_up(http)
        owner, parts = Owner(http, person.email, person.secret, person.tokens), app.state.parts

        async def arrive(name: str) -> None:
            async with parts[Database].transaction() as tx:
                await inbox.add(tx, parts[Clock], parts[LimitSettings], parts[ServerKeys], person.id, "web", name,
                                {"body": "noon " * 80}, quota=parts[Quota])  # fmt: skip

        await arrive("1")
        used = (await storage(owner))["used_bytes"]
        assert used > 400
        with pytest.raises(QuotaExceeded):
            await arrive("2")
        [item] = (await owner.request("GET", "/inbox")).json()["items"]
        await owner.request("DELETE", f"/inbox/{item['id']}")
        assert (await storage(owner))["used_bytes"] == 0
        await arrive("2")
