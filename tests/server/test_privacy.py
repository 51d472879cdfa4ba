"""Privacy tiers: what each keeps on the server, what lowering deletes, and which routes each may use."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.crypto import history
from lockleaf.server.db.engine import Database
from lockleaf.server.records import service as records
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.sync import Change
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, change, following, register

TIERS = ("local_only", "analytics_sync", "full_sync")
NOTHING = {"metrics": 0, "backups": 0, "conflicts": 0, "media": 0}


def now(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


async def put(owner: Owner, tier: str, **fields: Any) -> httpx.Response:
    body = {"privacy_tier": tier, "consent_timestamp": now(), **fields}
    return await owner.request("PUT", "/users/me/privacy", json=body)


async def rows(app: FastAPI, owner: Owner, *tables: str) -> dict[str, int]:
    async with app.state.services.database.read_driver() as connection:
        user_id = UUID(owner.answer["id"])
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", user_id)
            for table in tables
        }


# ---- what is shown -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
async def test_each_tier_says_what_works_with_it(http: httpx.AsyncClient, tier: str) -> None:
    owner = await register(http, privacy_tier=tier)
    shown = (await owner.request("GET", "/users/me/privacy")).json()
    full, some = tier == "full_sync", tier != "local_only"
    assert shown.pop("features_available") == {
        "local_storage": True,
        "local_themes": True,
        "local_search": True,
        "cloud_sync": full,
        "cross_device_search": full,
        "encrypted_backup": full,
        "analytics_sync": some,
    }
    chosen_at = shown.pop("sync_enabled_at")
    assert (chosen_at is not None) == some
    assert shown == {"current_tier": tier, "sync_enabled": some, "he_public_key_registered": False}


async def test_the_choice_at_sign_up_is_kept_as_the_consent(app: FastAPI, http: httpx.AsyncClient) -> None:
    before = datetime.now(UTC)
    owner = await register(http, privacy_tier="analytics_sync")
    async with app.state.services.database.read_driver() as connection:
        kept = await connection.fetchrow(
            "SELECT privacy_tier, consented_at FROM consents WHERE user_id = $1", UUID(owner.answer["id"])
        )
    assert kept["privacy_tier"] == "analytics_sync"
    assert before <= kept["consented_at"] <= datetime.now(UTC)


# ---- going down --------------------------------------------------------------------------------------------------


async def test_lowering_deletes_at_once_what_the_lower_tier_does_not_hold(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await register(http)
    first, second = change(), change(collection="x-notes", record_id="n", payload=b"note")
    await owner.push(first, second, following(first), following(first, on_conflict="keep"))
    tables = ("records", "revisions", "changes", "conflicts")
    assert await rows(app, owner, *tables) == {"records": 2, "revisions": 1, "changes": 3, "conflicts": 1}
    answer = (await put(owner, "analytics_sync")).json()
    assert answer["current_tier"] == "analytics_sync"
    assert answer["deleted"] == {"metrics": 0, "backups": 2, "conflicts": 1, "media": 0}
    assert await rows(app, owner, *tables, "checkpoints", "inbox") == dict.fromkeys(
        (*tables, "checkpoints", "inbox"), 0
    )
    assert (await put(owner, "analytics_sync")).json()["deleted"] == NOTHING


async def test_revoking_leaves_nothing_but_the_account_and_can_be_repeated(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await register(http)
    await owner.push(change(), change())
    answer = await owner.request("DELETE", "/users/me/privacy/revoke")
    assert answer.status_code == 200
    said = answer.json()
    assert said.pop("message")
    assert said == {
        "new_tier": "local_only",
        "deleted_metrics": 0,
        "deleted_backups": 2,
        "deleted_conflicts": 0,
        "deleted_media": 0,
    }
    again = (await owner.request("DELETE", "/users/me/privacy/revoke")).json()
    assert (again["new_tier"], again["deleted_backups"]) == ("local_only", 0)
    assert (await owner.request("GET", "/auth/me")).json()["privacy_tier"] == "local_only"
    assert (await rows(app, owner, "consents"))["consents"] == 2  # what was chosen at sign-up, and this


async def test_nothing_of_another_account_is_deleted(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner, other = await register(http), await register(http)
    await other.push(change(), change())
    await owner.request("DELETE", "/users/me/privacy/revoke")
    assert (await rows(app, other, "records", "changes")) == {"records": 2, "changes": 2}
    assert len((await other.feed())["changes"]) == 2


async def test_the_new_epoch_goes_on_from_where_the_one_before_ended(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http)
    before = await owner.push(change(), change(), change())
    await put(owner, "local_only")
    await _raise_without_a_key(app, owner)
    page = await owner.feed()
    (epoch,) = page["epochs"]
    assert epoch["epoch"] != before["epoch"]
    assert (epoch["from_seq"], epoch["from_head"]) == (3, before["head"])
    assert (page["seq"], page["changes"]) == (3, [])
    assert page["head"] == history.epoch_head(epoch["epoch"], 3, before["head"])
    stale = await owner.request("GET", "/sync/changes", params={"after": before["cursor"]})
    assert problem(stale, 409, "epoch_changed")["from_head"] == encode_base64(before["head"])
    assert (await owner.push(change()))["results"] == [{"status": "applied", "seq": 4, "revision": 1}]


@pytest.mark.parametrize("written", [0, 2])
async def test_an_epoch_without_leaves_is_replaced_by_one_that_goes_on_from_the_same_place(
    app: FastAPI, http: httpx.AsyncClient, written: int
) -> None:
    owner = await register(http)
    head = (await owner.push(*(change() for _ in range(written))))["head"] if written else history.ZERO
    for _ in range(3):
        await put(owner, "local_only")
        await _raise_without_a_key(app, owner)
    (epoch,) = (await owner.feed())["epochs"]
    assert (epoch["from_seq"], epoch["from_head"]) == (written, head)


async def _raise_without_a_key(app: FastAPI, owner: Owner) -> None:
    """Let the account sync again as one does that signed up for it: the key for metrics may come later."""
    async with app.state.services.database.write_driver() as writing:
        await writing.connection.execute(
            "UPDATE accounts SET privacy_tier = 'full_sync' WHERE user_id = $1", UUID(owner.answer["id"])
        )


async def test_what_is_pushed_while_the_tier_is_lowered_goes_with_it_or_is_refused(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await register(http)
    user_id = UUID(owner.answer["id"])
    services = app.state.services
    async with services.database.write_driver() as writing:
        new = Change.model_validate(change())
        await records.push(writing.connection, user_id, [new], now=services.clock())
        lowering = asyncio.create_task(put(owner, "local_only"))
        await _waiting_for_a_lock(services.database, 1)
        late = asyncio.create_task(owner.request("POST", "/sync/push", json={"changes": [_as_json(change())]}))
        await _waiting_for_a_lock(services.database, 2)
    assert (await lowering).json()["deleted"]["backups"] == 1
    problem(await late, 403, "tier_required")
    assert await rows(app, owner, "records", "changes") == {"records": 0, "changes": 0}


async def test_a_first_push_that_waits_for_a_lowered_tier_is_refused(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http)
    services = app.state.services
    async with services.database.transaction() as session:
        from lockleaf.server.accounts import privacy

        await privacy.revoke(session, UUID(owner.answer["id"]), holdings=services.holdings, now=services.clock())
        late = asyncio.create_task(owner.request("POST", "/sync/push", json={"changes": [_as_json(change())]}))
        await _waiting_for_a_lock(services.database, 1)
    problem(await late, 403, "tier_required")
    assert await rows(app, owner, "records", "changes") == {"records": 0, "changes": 0}


def _as_json(one: dict[str, Any]) -> dict[str, Any]:
    raw = {name: encode_base64(value) if isinstance(value, bytes) else value for name, value in one.items()}
    return {**raw, "client_updated_at": one["client_updated_at"].isoformat()}


async def _waiting_for_a_lock(database: Database, how_many: int) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(20), database.read_driver() as connection:
        while await connection.fetchval(waiting) < how_many:
            await asyncio.sleep(0)


# ---- which routes a tier may use (the table of the API) ----------------------------------------------------------

PREFIX = "/api/v1"
NEEDED: tuple[tuple[str, str | None], ...] = (
    ("/auth", None),
    ("/users", None),
    ("/jobs", None),
    ("/encryption/context", None),
    ("/encryption", "analytics_sync"),
    ("/sync/metrics", "analytics_sync"),
    ("/sync", "full_sync"),
    ("/inbox", "full_sync"),
    ("/tags", "full_sync"),
    ("/vault", "full_sync"),
    ("/entries", "full_sync"),
    ("/media", "full_sync"),
    ("/search", "full_sync"),
    ("/integrations", "full_sync"),
)
"""The tier that each route needs; the first beginning that fits decides."""


def needed(path: str) -> str | None:
    below = path.removeprefix(PREFIX)
    return next(tier for beginning, tier in NEEDED if below == beginning or below.startswith(beginning + "/"))


@pytest.mark.parametrize("tier", TIERS[:2])
async def test_every_route_refuses_accounts_below_its_tier_and_names_it(
    app: FastAPI, http: httpx.AsyncClient, tier: str, subtests: pytest.Subtests
) -> None:
    owner = await register(http, privacy_tier=tier)
    refused = 0
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            if not path.startswith(PREFIX) or path.endswith("/auth/logout"):
                continue
            with subtests.test(f"{method} {path}"):
                somewhere = path.removeprefix(PREFIX).replace("{", "").replace("}", "")
                for name in _parameters(path):
                    somewhere = somewhere.replace(name, str(uuid4()) if name.endswith("id") else "1")
                answer = await owner.request(method.upper(), somewhere)
                tier_of_route = needed(path)
                if tier_of_route is not None and TIERS.index(tier) < TIERS.index(tier_of_route):
                    refused += 1
                    assert problem(answer, 403, "tier_required")["required"] == tier_of_route
                    assert "403" in operations[method]["responses"]
                elif answer.is_error:
                    assert answer.json()["code"] != "tier_required"
    assert refused > 8


def _parameters(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


# ---- the end -----------------------------------------------------------------------------------------------------


async def test_consents_and_keys_go_with_the_account(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    owner = Owner(http, person.email, person.secret, person.tokens)
    await owner.request("DELETE", "/users/me", json={"current_password": owner.password})
    assert await rows(app, owner, "consents", "he_public_keys", "inbox") == {
        "consents": 0,
        "he_public_keys": 0,
        "inbox": 0,
    }
