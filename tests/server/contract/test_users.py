"""``/users``, and the background work and the inbox of an account, as their tables have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lockleaf.server.main.features import HANDLERS
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, change, following, register
from tests.support.contract import Contract, shows
from tests.support.diaries import thin
from tests.support.job_workers import ended, working
from tests.support.metric_contexts import contexts
from tests.support.senders import put_in

PROFILE = {"id", "email", "display_name", "timezone", "locale", "privacy_tier", "encryption_tier", "created_at"}
STATISTICS = {"days_analyzed", "total_logs", "recent_logs", "writing_streak", "total_words", "avg_words_per_entry"}
PREFERENCES = {
    "daily_word_goal",
    "writing_reminder_time",
    "theme_preferences",
    "ai_features_enabled",
    "timezone",
    "locale",
}
NOW = datetime.now(UTC)


@pytest.fixture
async def owner(contract: Contract) -> Owner:
    return await register(contract.http)


async def get(owner: Owner, path: str, **params: Any) -> Any:
    answer = await owner.request("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def raise_tier(owner: Owner, tier: str, **fields: Any) -> httpx.Response:
    consent = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    body = {"privacy_tier": tier, "consent_timestamp": consent, **fields}
    return await owner.request("PUT", "/users/me/privacy", json={n: v for n, v in body.items() if v is not None})


# ---- the profile ----


@shows("GET /users/me 200", "PUT /users/me 200", "GET /users/me/stats 200")
async def test_the_profile_and_what_can_be_counted(contract: Contract, owner: Owner) -> None:
    first = change()
    await owner.push(first, following(first), change())
    before = await get(owner, "/users/me")
    assert before.keys() >= PROFILE
    changed = await owner.request("PUT", "/users/me", json={"display_name": "Ada", "timezone": "Asia/Tokyo"})
    assert (changed.json()["display_name"], changed.json()["timezone"]) == ("Ada", "Asia/Tokyo")
    assert changed.json()["locale"] == before["locale"]
    statistics = await get(owner, "/users/me/stats", days=7)
    assert statistics.keys() >= STATISTICS
    assert (statistics["days_analyzed"], statistics["total_logs"], statistics["recent_logs"]) == (7, 2, 2)
    assert (statistics["writing_streak"], statistics["total_words"], statistics["avg_words_per_entry"]) == (
        1,
        None,
        None,
    )
    assert (await get(await register(contract.http), "/users/me/stats"))["total_logs"] == 0


@shows("DELETE /users/me 204", "DELETE /users/me 401 invalid_credentials")
async def test_an_account_is_deleted_with_the_secret(contract: Contract, owner: Owner) -> None:
    wrong = await owner.request("DELETE", "/users/me", json={"current_password": "x" * 9})
    problem(wrong, 401, "invalid_credentials")
    assert (await get(owner, "/users/me"))["email"] == owner.email
    assert (await owner.request("DELETE", "/users/me", json={"current_password": owner.password})).status_code == 204
    problem(await owner.request("GET", "/users/me"), 401, "session_revoked")
    login = {"email": owner.email, "password": owner.password}
    problem(await contract.http.post("/auth/login", json=login), 401, "invalid_credentials")


@shows("GET /users/me/preferences 200", "PUT /users/me/preferences 200")
async def test_preferences_are_changed_one_by_one(owner: Owner) -> None:
    before = await get(owner, "/users/me/preferences")
    assert before.keys() >= PREFERENCES
    wishes = {"daily_word_goal": 200, "writing_reminder_time": "21:30", "theme_preferences": {"dark": True}}
    changed = (await owner.request("PUT", "/users/me/preferences", json=wishes)).json()
    assert changed == {**before, **changed, **wishes}
    assert await get(owner, "/users/me/preferences") == changed


@shows("GET /users/me/access 200")
async def test_a_uce_user_reads_when_content_was_opened(contract: Contract, owner: Owner) -> None:
    uma = await thin(contract.http)
    await uma.request("POST", "/entries", json={"content": "a day"})
    opened = await get(uma, "/users/me/access")
    assert opened.keys() >= {"items", "next_cursor"}
    assert opened["items"]
    assert (await get(owner, "/users/me/access"))["items"] == []


# ---- privacy ----


@shows("GET /users/me/privacy 200", "PUT /users/me/privacy 200", "DELETE /users/me/privacy/revoke 200")
async def test_the_tier_goes_up_with_a_key_and_down_with_what_it_held(contract: Contract) -> None:
    owner = await register(contract.http, privacy_tier="local_only")
    key = encode_base64(contexts().public)
    raised = await raise_tier(owner, "full_sync", he_public_key=key)
    told = raised.json()
    assert (told["current_tier"], told["sync_enabled"], told["he_public_key_registered"]) == ("full_sync", True, True)
    assert told["deleted"] == {"metrics": 0, "backups": 0, "conflicts": 0, "media": 0}
    assert told["features_available"].keys() >= {
        "local_storage",
        "local_themes",
        "local_search",
        "cloud_sync",
        "cross_device_search",
        "encrypted_backup",
        "analytics_sync",
    }
    first = change()
    await owner.push(first, following(first, base_revision=7, on_conflict="keep"))
    lowered = (await owner.request("PUT", "/users/me/privacy", json={"privacy_tier": "analytics_sync"})).json()
    assert (lowered["deleted"]["backups"], lowered["deleted"]["conflicts"]) == (1, 1)
    await raise_tier(owner, "full_sync")
    await owner.push(change(), change())
    revoked = (await owner.request("DELETE", "/users/me/privacy/revoke")).json()
    assert (revoked["new_tier"], revoked["deleted_backups"]) == ("local_only", 2)
    assert revoked.keys() >= {"message", "deleted_metrics", "deleted_conflicts", "deleted_media"}
    assert (await get(owner, "/users/me/privacy"))["current_tier"] == "local_only"


@shows(
    "PUT /users/me/privacy 422 consent_required",
    "PUT /users/me/privacy 422 secret_key_received",
    "PUT /users/me/privacy 422 invalid_he_public_key",
)
async def test_the_tier_stays_where_consent_is_missing_or_the_key_is_none(contract: Contract) -> None:
    owner = await register(contract.http, privacy_tier="local_only")
    public, secret = (encode_base64(key) for key in (contexts().public, contexts().secret))
    problem(await raise_tier(owner, "full_sync", he_public_key=public, consent_timestamp=None), 422, "consent_required")
    problem(await raise_tier(owner, "full_sync", he_public_key=secret), 422, "secret_key_received")
    problem(await raise_tier(owner, "full_sync", he_public_key="AAAA"), 422, "invalid_he_public_key")
    now = await get(owner, "/users/me/privacy")
    assert (now["current_tier"], now["he_public_key_registered"]) == ("local_only", False)


# ---- background work ----


@shows(
    "POST /users/me/export 202",
    "GET /users/me/export/{job_id} 200",
    "GET /users/me/export/{job_id} 404 not_found",
    "GET /jobs 200",
    "GET /jobs/{job_id} 200",
    "GET /jobs/{job_id} 404 not_found",
)
async def test_an_archive_is_made_in_the_background(contract: Contract, owner: Owner, database_url: str) -> None:
    queued = (await owner.request("POST", "/users/me/export")).json()
    assert queued.keys() >= {"id", "kind", "state", "progress", "created_at"}
    assert (queued["state"], queued["progress"].keys()) == ("queued", {"done", "total"})
    problem(await owner.request("GET", f"/users/me/export/{queued['id']}"), 404, "not_found")
    parts = contract.app.state.parts
    async with working(parts, database_url, HANDLERS):
        await ended(parts, UUID(queued["id"]))
    job = await get(owner, f"/jobs/{queued['id']}")
    assert (job["state"], job["id"]) == ("succeeded", queued["id"])
    assert [item["id"] for item in (await get(owner, "/jobs"))["items"]] == [job["id"]]
    assert (await owner.request("GET", f"/users/me/export/{job['id']}")).content
    other = await register(contract.http)
    assert (await get(other, "/jobs"))["items"] == []
    for path in ("/jobs/", "/users/me/export/"):
        foreign, absent = [await other.request("GET", f"{path}{each}") for each in (job["id"], uuid4())]
        assert problem(foreign, 404, "not_found") == problem(absent, 404, "not_found")


# ---- the inbox ----


@shows("GET /inbox 200", "DELETE /inbox/{item_id} 204", "DELETE /inbox/{item_id} 404 not_found")
async def test_sealed_items_wait_until_they_are_acknowledged(contract: Contract) -> None:
    ada, other = [await Person().sign_up(contract.http) for _ in range(2)]
    item_id = await put_in(contract.app, ada.id)
    [item] = (await contract.http.get("/inbox", headers=ada.headers)).json()["items"]
    assert (item["id"], item["provider"]) == (str(item_id), "web")
    assert item["sealed"]
    assert (await contract.http.get("/inbox", headers=other.headers)).json()["items"] == []
    path = f"/inbox/{item_id}"
    foreign = problem(await contract.http.delete(path, headers=other.headers), 404, "not_found")
    assert (await contract.http.delete(path, headers=ada.headers)).status_code == 204
    assert problem(await contract.http.delete(path, headers=ada.headers), 404, "not_found") == foreign


# ---- operation ----


@shows("GET /health 200", "GET /ready 200", "GET /metrics 200")
async def test_who_runs_it_can_ask_how_it_is(contract: Contract) -> None:
    for path in ("/health", "/ready", "/metrics"):
        assert (await contract.http.get(f"http://lockleaf.test{path}")).status_code == 200
