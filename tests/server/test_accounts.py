"""The account as its user sees it: profile, preferences, statistics, and the end of it all."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from lockleaf.server.main.tables import metadata
from lockleaf.server.platform.db.engine import Database
from tests.support.account_holders import Person, problem


async def test_the_profile_comes_with_statistics(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http, display_name="Sam", timezone="Asia/Tokyo")
    profile = (await http.get("/users/me", headers=person.headers)).json()
    assert (profile["id"], profile["email"], profile["display_name"]) == (str(person.id), person.email, "Sam")
    assert profile["statistics"] == {
        "days_analyzed": 30,
        "total_logs": 0,
        "recent_logs": 0,
        "writing_streak": 0,
        "total_words": None,
        "avg_words_per_entry": None,
    }
    assert not {"keyring", "password", "verifier_hash"} & profile.keys()


async def test_what_is_absent_from_a_change_stays(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http, display_name="Sam", timezone="Asia/Tokyo", locale="ja")

    async def change(**body: Any) -> tuple[str | None, str, str]:
        answer = await http.put("/users/me", json=body, headers=person.headers)
        assert answer.status_code == 200, answer.text
        profile = (await http.get("/users/me", headers=person.headers)).json()
        assert answer.json() == profile
        return profile["display_name"], profile["timezone"], profile["locale"]

    assert await change(locale="en-GB") == ("Sam", "Asia/Tokyo", "en-GB")
    assert await change(timezone="Europe/Lisbon") == ("Sam", "Europe/Lisbon", "en-GB")
    assert await change(display_name=None) == (None, "Europe/Lisbon", "en-GB")
    assert await change() == (None, "Europe/Lisbon", "en-GB")


async def test_every_time_zone_that_can_be_set_can_be_counted_in(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    for zone in ("Factory", "GB-Eire", "America/Argentina/ComodRivadavia", "Etc/GMT+12", "Pacific/Kiritimati"):
        assert (await http.put("/users/me", json={"timezone": zone}, headers=person.headers)).status_code == 200
        assert (await http.get("/users/me/stats", headers=person.headers)).status_code == 200


async def test_preferences_merge(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    assert (await http.get("/users/me/preferences", headers=person.headers)).json() == {
        "daily_word_goal": None,
        "writing_reminder_time": None,
        "theme_preferences": None,
        "ai_features_enabled": False,
        "timezone": "UTC",
        "locale": "en",
    }
    for change, expected in (
        ({"daily_word_goal": 750, "ai_features_enabled": True}, {"daily_word_goal": 750, "ai_features_enabled": True}),
        ({"writing_reminder_time": "21:30"}, {"daily_word_goal": 750, "writing_reminder_time": "21:30"}),
        ({"theme_preferences": {"dark": True, "size": 1.5}, "daily_word_goal": None}, {"daily_word_goal": None}),
        ({}, {"theme_preferences": {"dark": True, "size": 1.5}, "writing_reminder_time": "21:30"}),
        ({"timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo", "ai_features_enabled": True}),
    ):
        answer = await http.put("/users/me/preferences", json=change, headers=person.headers)
        assert answer.json().items() >= expected.items()
        assert (await http.get("/users/me/preferences", headers=person.headers)).json() == answer.json()
    assert (await http.get("/users/me", headers=person.headers)).json()["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize("days", ["0", "-1", "4000", "many", "1e3"])
async def test_statistics_of_no_time_are_refused(http: httpx.AsyncClient, days: str) -> None:
    person = await Person().sign_up(http)
    problem(await http.get("/users/me/stats", params={"days": days}, headers=person.headers), 422, "invalid_request")


async def test_statistics_say_how_many_days_they_cover(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    answer = await http.get("/users/me/stats", params={"days": "7"}, headers=person.headers)
    assert answer.json()["days_analyzed"] == 7


@pytest.mark.parametrize(("tier", "sync"), [("local_only", False), ("analytics_sync", False), ("full_sync", True)])
async def test_features_follow_the_tier(http: httpx.AsyncClient, tier: str, sync: bool) -> None:
    person = await Person().sign_up(http, privacy_tier=tier)
    found = (await http.get("/auth/features", headers=person.headers)).json()
    assert (found["privacy_tier"], found["encryption_tier"]) == (tier, "e2e")
    assert found["features"]["sync"] is sync
    assert found["features"]["server_decryption"] is False
    nothing = {"used_bytes": 0, "limit_bytes": None, "media_used_bytes": 0, "media_limit_bytes": None}
    assert found["storage"] == nothing


async def test_an_account_is_deleted_with_every_row_of_every_table(http: httpx.AsyncClient, app: FastAPI) -> None:
    person, other = await Person().sign_up(http), await Person().sign_up(http)
    tables = [table.name for table in metadata.sorted_tables if "user_id" in table.columns]
    assert {"accounts", "email_directory", "sessions", "records", "heads", "recovery_codes"} <= set(tables)

    async def rows(of: Person) -> dict[str, int]:
        async with app.state.parts[Database].reader() as session:
            return {
                table: await session.scalar(text(f"SELECT count(*) FROM {table} WHERE user_id = :id"), {"id": of.id})
                for table in tables
            }

    kept = await rows(other)
    assert {table for table, count in (await rows(person)).items() if count} >= {"accounts", "heads", "signing_keys"}
    answer = await http.request(
        "DELETE", "/users/me", json={"current_password": "not the secret"}, headers=person.headers
    )
    problem(answer, 401, "invalid_credentials")
    assert await person.is_signed_in(http)
    answer = await http.request("DELETE", "/users/me", json={"current_password": person.secret}, headers=person.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert set((await rows(person)).values()) == {0}
    assert await rows(other) == kept


async def test_nothing_of_a_deleted_account_works_any_more(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    device = await person.log_in(http)
    await http.request("DELETE", "/users/me", json={"current_password": person.secret}, headers=person.headers)
    for signed_in in (person, device):
        assert not await signed_in.is_signed_in(http)
        problem(await signed_in.refresh(http), 401, "session_revoked")
    answer = await http.post("/auth/login", json={"email": person.email, "password": person.secret})
    problem(answer, 401, "invalid_credentials")
    await Person(email=person.email).sign_up(http)


async def test_the_unversioned_paths_of_older_clients_lead_to_the_same_account(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    answer = await http.get("http://lockleaf.test/api/users/me", headers=person.headers)
    assert answer.json()["id"] == str(person.id)
