"""A rotation by a client that has nothing but HTTP: the server seals everything again, in slices of its requests."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from lockleaf.client.records.tag_records import tag_id
from lockleaf.crypto.envelope import parse
from tests.acceptance.test_uce_thin import Household, Thin, home
from tests.support.forged_history import history_of
from tests.support.people import PASSWORD

__all__ = ["home"]

NEW_PASSWORD = "a quite different one of mine"
WORDS = {"harbour": "The harbour at dusk.", "mill": "The old mill burned."}


async def rotate(thin: Thin) -> list[str]:
    """Change the keys, and go on with the session that it gives; the recovery codes."""
    told = await thin.ask("PUT", "/auth/keyring", json={"current_password": PASSWORD, "password": NEW_PASSWORD})
    thin.token = told["tokens"]["access_token"]
    codes: list[str] = told["recovery_codes"]
    return codes


async def finish(thin: Thin) -> list[dict[str, Any]]:
    """Ask for slices until the job has succeeded; what each told."""
    told = [await thin.ask("POST", "/sync/reseal")]
    while told[-1]["job"]["state"] != "succeeded":
        assert told[-1]["records"] or told[-1]["conflicts"], "each gets on"
        told.append(await thin.ask("POST", "/sync/reseal"))
    return told


async def write(thin: Thin, content: str, **fields: Any) -> str:
    entry: dict[str, Any] = await thin.ask("POST", "/entries", json={"content": content, **fields}, status=201)
    return str(entry["id"])


async def seen(thin: Thin) -> dict[str, Any]:
    """What a person sees by way of a thin client: lists, filters, tags, search, in whatever state the keys are."""

    async def listed(**params: str) -> list[str]:
        return sorted(each["content"] for each in (await thin.ask("GET", "/entries", params=params))["items"])

    return {
        "all": await listed(),
        "calm": await listed(mood="calm"),
        "sea": await listed(tag="sea"),
        "calm by the sea": await listed(tag="sea", mood="calm"),
        "tags": [(tag["name"], tag["color"]) for tag in await thin.ask("GET", "/tags")],
        **{
            word: [
                hit["entry"]["content"] for hit in (await thin.ask("POST", "/search", json={"query": word}))["items"]
            ]
            for word in (*WORDS, "harbour tag:sea", '"old mill"')
        },
    }


async def two_of_them(home: Household) -> dict[str, str]:
    ids = {
        "harbour": await write(home.thin, WORDS["harbour"], mood="calm", tags=["sea"], source="web"),
        "mill": await write(home.thin, WORDS["mill"], title="Fire", mood="calm", tags=["news"]),
    }
    (sea,) = [tag for tag in await home.thin.ask("GET", "/tags") if tag["name"] == "sea"]
    await home.thin.ask("PUT", f"/tags/{sea['id']}", json={"name": "sea", "color": "#102030"})
    return ids


async def test_a_thin_client_rotates_and_follows_it_to_its_end(home: Household) -> None:
    ids = await two_of_them(home)
    await home.laptop.sync()
    old = home.laptop._device.opened.keyring
    before = await seen(home.thin)
    assert len(await rotate(home.thin)) == 10
    assert await seen(home.thin) == before, "until all is sealed again, nothing is missing or there twice"
    told = await finish(home.thin)
    assert told[-1]["job"]["kind"] == "keys.rotate"
    progress = told[-1]["job"]["progress"]
    assert progress["done"] == progress["total"] == 4
    assert sum(each["records"] for each in told) == 4
    [job] = [each for each in (await home.thin.ask("GET", "/jobs"))["items"] if each["kind"] == "keys.rotate"]
    assert job == told[-1]["job"]
    assert await seen(home.thin) == before
    again = await finish(home.thin)
    assert [(each["records"], each["job"]["id"]) for each in again] == [(0, job["id"])]

    await home.laptop.account.login(home.ada.server, home.ada.email, NEW_PASSWORD, device_name="laptop", custody="uce")
    report = await home.laptop.sync()
    assert (report.pushed, report.conflicts) == (0, 0)
    assert home.laptop.sync.sealed_again
    keyring = home.laptop._device.opened.keyring
    assert len(keyring) == 2
    served = [each for each in (await history_of(home.laptop)).changes if "payload" in each]
    assert {parse(each["payload"]).key_id for each in served if each["collection"] != "x-lockleaf"} == {2}
    tags = {each["record_id"]: each["deleted"] for each in served if each["collection"] == "tags"}
    assert tags == {tag_id(old, n): True for n in ("sea", "news")} | {
        tag_id(keyring, n): False for n in ("sea", "news")
    }
    entry = await home.laptop.journal.get(ids["harbour"])
    assert (entry.body, entry.mood, entry.tags) == (WORDS["harbour"], "calm", ("sea",))


async def test_a_slice_of_long_entries_is_no_longer_than_a_push(home: Household) -> None:
    for _ in range(7):
        await write(home.thin, secrets.token_hex(1024 * 1024))
    await rotate(home.thin)
    told = await finish(home.thin)
    assert sum(each["records"] for each in told) == 7
    # However fast the machine is: a slice ends behind 8 MiB, and entries are looked at in pages of 2 MiB.
    assert max(each["records"] for each in told) <= 5


async def test_what_is_changed_between_the_slices_stands(home: Household) -> None:
    ids = await two_of_them(home)
    await rotate(home.thin)
    await home.thin.ask("PUT", f"/entries/{ids['mill']}", json={"content": "rebuilt", "revision": 2})
    (news,) = [tag for tag in await home.thin.ask("GET", "/tags") if tag["name"] == "news"]
    await home.thin.ask("DELETE", f"/tags/{news['id']}", status=204)
    extra = await write(home.thin, "by the sea again", tags=["sea", "late"])
    renamed = [tag for tag in await home.thin.ask("GET", "/tags") if tag["name"] == "sea"]
    await home.thin.ask("PUT", f"/tags/{renamed[0]['id']}", json={"name": "ocean"})
    before = await seen(home.thin)
    assert {name for name, _ in before["tags"]} == {"ocean", "late"}
    await finish(home.thin)
    assert await seen(home.thin) == before
    for entry_id, tags in ((ids["harbour"], ["ocean"]), (ids["mill"], []), (extra, ["ocean", "late"])):
        assert (await home.thin.ask("GET", f"/entries/{entry_id}"))["tags"] == tags
    # What is made of a device's and the server's hands verifies.
    await home.laptop.account.login(home.ada.server, home.ada.email, NEW_PASSWORD, device_name="laptop", custody="uce")
    assert (await home.laptop.sync()).conflicts == 0


async def test_an_open_conflict_is_kept_under_the_new_key_and_can_be_resolved(home: Household) -> None:
    entry_id = await write(home.thin, "first")
    await home.laptop.sync()
    await home.laptop.journal.edit(entry_id, body="the laptop's")
    await home.thin.ask("PUT", f"/entries/{entry_id}", json={"content": "the web's", "revision": 2})
    await home.laptop.sync()
    await rotate(home.thin)
    told = await finish(home.thin)
    assert sum(each["conflicts"] for each in told) == 1
    await home.laptop.account.login(home.ada.server, home.ada.email, NEW_PASSWORD, device_name="laptop", custody="uce")
    await home.laptop.sync()
    [conflict] = await home.laptop.journal.conflicts()
    assert conflict.authentic
    assert conflict.local is not None
    assert conflict.local.body == "the laptop's"
    [listed] = (await home.thin.ask("GET", "/sync/conflicts"))["conflicts"]
    chosen = {"chosen_version": "local", "base_revision": listed["remote_version"]["revision"]}
    await home.thin.ask("POST", f"/sync/conflicts/{listed['id']}/resolve", json=chosen)
    await home.laptop.sync()
    assert (await home.laptop.journal.get(entry_id)).body == "the laptop's"
    assert await home.laptop.journal.conflicts() == []


@pytest.mark.parametrize("custody", ["e2e"])
async def test_an_end_to_end_encrypted_account_is_left_to_its_devices(home: Household, custody: str) -> None:
    async with httpx.AsyncClient(base_url=f"{home.ada.server}/api/v1", trust_env=False) as http:
        made = await http.post("/auth/register", json={"email": f"x{home.ada.email}", "password": PASSWORD})
        token = made.json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        await http.put(
            "/users/me/privacy",
            json={"privacy_tier": "full_sync", "consent_timestamp": "2026-01-01T00:00:00Z"},
            headers=headers,
        )
        told = await http.post("/sync/reseal", headers=headers)
    assert (told.status_code, told.json()["code"]) == (403, "custody_required")
