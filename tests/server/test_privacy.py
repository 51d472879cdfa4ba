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
from lockleaf.he.contexts import wrap_public_key
from lockleaf.he.params import CKKS_4096
from lockleaf.he.seal import VERSIONS
from lockleaf.server.features.privacy.public_contexts import WAITING, ContextsBusy, PublicContexts
from lockleaf.server.identity.accounts.errors import InvalidHePublicKey
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.holdings import Holdings
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records import service as records
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.privacy import PrivacyRevocation
from lockleaf.wire.sync import Change
from tests.support.account_holders import Person, problem, sealed
from tests.support.accounts import Owner, change, following, register
from tests.support.metric_contexts import contexts
from tests.support.metrics import raw_public_key, raw_secret_key

TIERS = ("local_only", "analytics_sync", "full_sync")
NOTHING = {"metrics": 0, "backups": 0, "conflicts": 0, "media": 0}


def now(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


async def put(owner: Owner, tier: str, **fields: Any) -> httpx.Response:
    body = {"privacy_tier": tier, "consent_timestamp": now(), **fields}
    return await owner.request("PUT", "/users/me/privacy", json=body)


async def rows(app: FastAPI, owner: Owner, *tables: str) -> dict[str, int]:
    async with app.state.parts[Database].read_driver() as connection:
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


async def test_a_consent_that_comes_with_the_sign_up_is_kept_as_given(app: FastAPI, http: httpx.AsyncClient) -> None:
    chosen = "2021-01-01T00:00:00Z"
    owner = await register(http, privacy_tier="full_sync", consent_timestamp=chosen)
    assert (await owner.request("GET", "/users/me/privacy")).json()["sync_enabled_at"] == chosen
    body = {"email": f"{uuid4()}@example.org", "password": "a secret of it", "consent_timestamp": now(days=2)}
    problem(await http.post("/auth/register", json=body), 422, "consent_required")
    assert (await http.post("/auth/register", json={**body, "consent_timestamp": None})).status_code == 201


async def test_the_choice_at_sign_up_is_kept_as_the_consent(app: FastAPI, http: httpx.AsyncClient) -> None:
    before = datetime.now(UTC)
    owner = await register(http, privacy_tier="analytics_sync")
    async with app.state.parts[Database].read_driver() as connection:
        kept = await connection.fetchrow(
            "SELECT privacy_tier, consented_at FROM consents WHERE user_id = $1", UUID(owner.answer["id"])
        )
    assert kept["privacy_tier"] == "analytics_sync"
    assert before <= kept["consented_at"] <= datetime.now(UTC)


# ---- going up ----------------------------------------------------------------------------------------------------

LOWER = [("local_only", "analytics_sync"), ("local_only", "full_sync"), ("analytics_sync", "full_sync")]


def key(parameter_set: str = "ckks-4096", *, pair: int = 1) -> dict[str, str]:
    return {"he_public_key": encode_base64(contexts(parameter_set, pair=pair).public)}


async def keys_of(app: FastAPI, owner: Owner) -> dict[str, bytes]:
    async with app.state.parts[Database].read_driver() as connection:
        found = await connection.fetch(
            "SELECT parameter_set, context FROM he_public_keys WHERE user_id = $1", UUID(owner.answer["id"])
        )
    return {row["parameter_set"]: row["context"] for row in found}


@pytest.mark.parametrize(("before", "after"), LOWER)
async def test_raising_takes_a_consent_which_is_kept(
    app: FastAPI, http: httpx.AsyncClient, before: str, after: str
) -> None:
    owner = await register(http, privacy_tier=before)
    for consent in ({"consent_timestamp": None}, {"consent_timestamp": now(days=2)}):
        told = problem(await put(owner, after, **consent), 422, "consent_required")
        assert datetime.now(UTC) < datetime.fromisoformat(told["not_after"])
    assert (await rows(app, owner, "consents"))["consents"] == 1
    chosen = now(hours=-1)
    raised = (await put(owner, after, **key(), consent_timestamp=chosen)).json()
    assert (raised["current_tier"], raised["he_public_key_registered"], raised["deleted"]) == (after, True, NOTHING)
    assert datetime.fromisoformat(raised["sync_enabled_at"]) == datetime.fromisoformat(chosen)
    assert await keys_of(app, owner) == {"ckks-4096": contexts().public}
    async with app.state.parts[Database].read_driver() as connection:
        kept = await connection.fetch(
            "SELECT privacy_tier, consented_at FROM consents WHERE user_id = $1 ORDER BY consent_id",
            UUID(owner.answer["id"]),
        )
    assert [row["privacy_tier"] for row in kept] == [before, after]
    assert kept[-1]["consented_at"] == datetime.fromisoformat(chosen)


async def test_a_consent_is_kept_as_given_unless_it_lies_in_the_future(http: httpx.AsyncClient) -> None:
    owner = await register(http, privacy_tier="local_only")
    for chosen in (now(hours=1), "2019-05-04T03:02:01+02:00", "0001-01-01T00:00:00Z"):
        raised = (await put(owner, "full_sync", consent_timestamp=chosen)).json()
        assert datetime.fromisoformat(raised["sync_enabled_at"]) == datetime.fromisoformat(chosen)
        await put(owner, "local_only")


async def test_a_consent_to_come_is_refused_where_the_tier_stays_and_keeps_nobody_from_lowering_it(
    http: httpx.AsyncClient,
) -> None:
    owner = await register(http, privacy_tier="full_sync", consent_timestamp="2025-01-01T00:00:00Z")
    problem(await put(owner, "full_sync", consent_timestamp=now(days=2)), 422, "consent_required")
    assert (await put(owner, "full_sync", consent_timestamp=None)).status_code == 200
    lowered = (await put(owner, "analytics_sync", consent_timestamp=now(days=2))).json()
    assert datetime.fromisoformat(lowered["sync_enabled_at"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("before", "after", "absent"),
    [
        (*each, absent)
        for each, absent in zip(LOWER, ({"he_public_key": None}, {"he_public_key": None}, {}), strict=True)
    ],
)
async def test_a_key_may_come_after_the_tier(
    app: FastAPI, http: httpx.AsyncClient, before: str, after: str, absent: dict[str, None]
) -> None:
    owner = await register(http, privacy_tier=before)
    raised = (await put(owner, after, **absent)).json()
    assert (raised["current_tier"], raised["he_public_key_registered"]) == (after, False)
    later = (await put(owner, after, **key())).json()
    assert (later["current_tier"], later["he_public_key_registered"]) == (after, True)
    assert await keys_of(app, owner) == {"ckks-4096": contexts().public}


async def test_a_key_that_is_registered_stays_until_nothing_needs_it(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http)
    await put(owner, "full_sync", **key())
    await put(owner, "analytics_sync")
    assert (await put(owner, "full_sync")).json()["he_public_key_registered"] is True
    await put(owner, "local_only")
    assert await keys_of(app, owner) == {}
    assert (await put(owner, "full_sync")).json()["he_public_key_registered"] is False


async def test_the_same_tier_again_registers_a_key_or_replaces_the_one_of_its_set(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await register(http)
    assert (await put(owner, "full_sync")).json()["he_public_key_registered"] is False
    for one in (key(), key("ckks-8192"), key(pair=2), key(pair=2)):
        assert (await put(owner, "full_sync", **one)).json()["he_public_key_registered"] is True
    assert await keys_of(app, owner) == {
        "ckks-4096": contexts(pair=2).public,
        "ckks-8192": contexts("ckks-8192").public,
    }
    assert (await rows(app, owner, "consents"))["consents"] == 4  # the last one said nothing new


async def test_of_a_context_with_its_secret_key_nothing_is_kept(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http, privacy_tier="local_only")
    answer = await put(owner, "full_sync", he_public_key=encode_base64(contexts().secret))
    problem(answer, 422, "secret_key_received")
    assert await keys_of(app, owner) == {}
    assert (await owner.request("GET", "/users/me/privacy")).json()["current_tier"] == "local_only"
    async with app.state.parts[Database].read_driver() as connection:
        stored = await connection.fetchval(
            "SELECT count(*) FROM he_public_keys WHERE position($1::bytea in context) > 0", contexts().secret[-64:]
        )
    assert stored == 0


async def test_seals_own_public_key_is_kept_as_a_context_and_its_form_is_remembered(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await register(http)
    raw = raw_public_key("ckks-4096")
    wrapped = wrap_public_key(raw, CKKS_4096)
    kept = []
    for one in (raw, raw, wrapped, raw):
        answer = await put(owner, "full_sync", he_public_key=encode_base64(one))
        assert answer.json()["he_public_key_registered"] is True
        async with app.state.parts[Database].read_driver() as connection:
            [row] = await connection.fetch(
                "SELECT context, raw FROM he_public_keys WHERE user_id = $1", UUID(owner.answer["id"])
            )
        assert row["context"] == wrapped
        kept.append(row["raw"])
    assert kept == [True, True, False, True]
    assert (await rows(app, owner, "consents"))["consents"] == 4  # the second one said nothing new


async def test_of_seals_own_secret_key_nothing_is_kept(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http, privacy_tier="local_only")
    for version in VERSIONS:
        sent = encode_base64(raw_secret_key("ckks-4096", version))
        problem(await put(owner, "full_sync", he_public_key=sent), 422, "secret_key_received")
    assert await keys_of(app, owner) == {}
    assert (await owner.request("GET", "/users/me/privacy")).json()["current_tier"] == "local_only"


@pytest.mark.parametrize("kind", ["junk", "zeros", "cut short", "trailing", "raw, cut short", "raw, trailing"])
async def test_what_is_no_public_context_is_refused_and_says_why(http: httpx.AsyncClient, kind: str) -> None:
    public, raw = contexts().public, raw_public_key("ckks-4096")
    sent = {
        "junk": b"junk",
        "zeros": bytes(4096),
        "cut short": public[:-1],
        "trailing": public + b"\x00",
        "raw, cut short": raw[:-1],
        "raw, trailing": raw + b"\x00",
    }[kind]
    owner = await register(http, privacy_tier="local_only")
    answer = await put(owner, "full_sync", he_public_key=encode_base64(sent))
    assert problem(answer, 422, "invalid_he_public_key")["reason"]
    assert (await owner.request("GET", "/users/me/privacy")).json()["current_tier"] == "local_only"


async def test_the_route_takes_a_larger_body_than_others_and_has_a_limit_of_its_own(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await register(http)
    limits = app.state.parts[Settings].limits
    padded = {"he_public_key": "A" * 4 * (limits.body_bytes // 3)}
    problem(await put(owner, "full_sync", **padded), 422, "invalid_he_public_key")
    problem(await owner.request("PUT", "/users/me", json=padded), 413, "body_too_large")
    endless = {"he_public_key": "A" * limits.public_key_body_bytes}
    problem(await put(owner, "full_sync", **endless), 413, "body_too_large")


async def test_so_many_keys_are_looked_at_and_no_more_at_once() -> None:
    checker = PublicContexts()
    checks = [checker.check(b"junk") for _ in range(WAITING + 2)]
    outcomes = await asyncio.gather(*checks, return_exceptions=True)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [InvalidHePublicKey] * WAITING + [ContextsBusy] * 2
    with pytest.raises(InvalidHePublicKey):
        await checker.check(b"junk")  # there is room again


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
    await _raise(owner)
    page = await owner.feed()
    ended, epoch = page["epochs"]
    assert (ended["epoch"], ended["ended"], epoch["ended"]) == (before["epoch"], True, False)
    assert (epoch["from_seq"], epoch["from_head"]) == (3, before["head"])
    assert (page["seq"], page["changes"]) == (3, [])
    assert page["head"] == history.epoch_head(epoch["epoch"], 3, before["head"])
    stale = await owner.request("GET", "/sync/changes", params={"after": before["cursor"]})
    assert problem(stale, 409, "epoch_changed")["from_head"] == encode_base64(before["head"])
    assert (await owner.push(change()))["results"] == [{"status": "applied", "seq": 4, "revision": 1}]


@pytest.mark.parametrize("written", [0, 2])
async def test_an_epoch_without_leaves_is_followed_by_one_that_goes_on_from_its_own_head(
    app: FastAPI, http: httpx.AsyncClient, written: int
) -> None:
    owner = await register(http)
    if written:
        await owner.push(*(change() for _ in range(written)))
    head = (await owner.feed())["head"]
    for _ in range(3):
        await put(owner, "local_only")
        await _raise(owner)
    page = await owner.feed()
    assert [(each["from_seq"], each["ended"]) for each in page["epochs"]] == [
        (0, True),
        (written, True),
        (written, True),
        (written, False),
    ]
    for epoch in page["epochs"][1:]:
        assert epoch["from_head"] == head
        head = history.epoch_head(epoch["epoch"], written, head)
    assert (page["seq"], page["head"], page["changes"]) == (written, head, [])


async def _raise(owner: Owner) -> None:
    answer = await put(owner, "full_sync", he_public_key=encode_base64(contexts().public))
    assert answer.status_code == 200, answer.text


async def test_what_is_pushed_while_the_tier_is_lowered_goes_with_it_or_is_refused(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await register(http)
    user_id = UUID(owner.answer["id"])
    parts = app.state.parts
    async with parts[Database].transaction() as writing:
        new = Change.model_validate(change())
        await records.push(writing.connection, user_id, [new], now=parts[Clock]())
        lowering = asyncio.create_task(put(owner, "local_only"))
        await _waiting_for_a_lock(parts[Database], 1)
        late = asyncio.create_task(owner.request("POST", "/sync/push", json={"changes": [_as_json(change())]}))
        await _waiting_for_a_lock(parts[Database], 2)
    assert (await lowering).json()["deleted"]["backups"] == 1
    problem(await late, 403, "tier_required")
    assert await rows(app, owner, "records", "changes") == {"records": 0, "changes": 0}


async def test_a_first_push_that_waits_for_a_lowered_tier_is_refused(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http)
    parts = app.state.parts
    async with parts[Database].transaction() as tx:
        from lockleaf.server.features.privacy import service as privacy

        await privacy.revoke(
            tx,
            UUID(owner.answer["id"]),
            PrivacyRevocation(),
            factors=parts[SecondFactors],
            holdings=parts[Holdings],
            now=parts[Clock](),
        )
        late = asyncio.create_task(owner.request("POST", "/sync/push", json={"changes": [_as_json(change())]}))
        await _waiting_for_a_lock(parts[Database], 1)
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
    await put(owner, "full_sync", **key())
    before = await rows(app, owner, "consents", "he_public_keys")
    assert before == {"consents": 2, "he_public_keys": 1}
    await owner.request("DELETE", "/users/me", json={"current_password": owner.password})
    assert await rows(app, owner, "consents", "he_public_keys", "inbox") == {
        "consents": 0,
        "he_public_keys": 0,
        "inbox": 0,
    }


# ---- with a stolen access token ------------------------------------------------------------------------------------


async def _with_keyring(app: FastAPI, http: httpx.AsyncClient) -> tuple[Owner, Person]:
    """An account with a keyring, two records, and a session of it."""
    person = await Person().sign_up(http)
    owner = Owner(http, person.email, person.secret, person.tokens)
    await owner.push(change(), change())
    return owner, person


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/users/me/privacy/revoke", None),
        ("DELETE", "/users/me/privacy/revoke", {}),
        ("PUT", "/users/me/privacy", {"privacy_tier": "local_only"}),
        ("PUT", "/users/me/privacy", {"privacy_tier": "analytics_sync"}),
    ],
)
async def test_an_access_token_alone_deletes_nothing_of_an_account_with_a_keyring(
    app: FastAPI, http: httpx.AsyncClient, method: str, path: str, body: dict[str, str] | None
) -> None:
    owner, person = await _with_keyring(app, http)
    tables = ("records", "changes")
    before = await rows(app, owner, *tables)
    refused = problem(await owner.request(method, path, json=body), 422, "invalid_request")
    assert [error["field"] for error in refused["errors"]] == ["current_password"]
    wrong = {**(body or {}), "current_password": "what the thief guesses"}
    problem(await owner.request(method, path, json=wrong), 401, "invalid_credentials")
    assert await rows(app, owner, *tables) == before == {"records": 2, "changes": 2}
    assert (await owner.request("GET", "/auth/me")).json()["privacy_tier"] == "full_sync"
    with_secret = {**(body or {}), "current_password": person.secret}
    answer = await owner.request(method, path, json=with_secret)
    assert answer.status_code == 200, answer.text
    assert await rows(app, owner, *tables) == {"records": 0, "changes": 0}


async def test_a_secret_that_was_changed_elsewhere_lowers_nothing(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner, person = await _with_keyring(app, http)
    elsewhere = await person.log_in(http)
    changed = {
        "current_password": person.secret,
        "password": "the next secret of this account",
        "kdf": person.kdf,
        "keyring": sealed(),
        "base_keyring_version": 1,
    }
    answer = await http.put("/auth/password", json=changed, headers=elsewhere.headers)
    assert answer.status_code == 200, answer.text
    now_in = Owner(http, person.email, person.secret, answer.json())
    body = {"current_password": person.secret}
    problem(await now_in.request("DELETE", "/users/me/privacy/revoke", json=body), 401, "invalid_credentials")
    assert (await rows(app, owner, "records"))["records"] == 2
