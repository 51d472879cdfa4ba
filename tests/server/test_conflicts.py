"""Conflicts of every kind: both versions whole, one choice, and nothing lost by it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.server.features.backups.rule import Verdict, judge
from lockleaf.wire.codec import MSGPACK, canonical, pack, unpack
from lockleaf.wire.fields import encode_base64
from tests.server.test_backups import at, backup, listed, post, store
from tests.support.account_holders import problem
from tests.support.accounts import Owner, change, following, register, sealed
from tests.support.feeds import Reader

MERGED = {"final_encrypted_content": encode_base64(b"merged"), "final_iv": "i"}


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> Owner:
    return await register(http)


async def conflicts(owner: Owner, **params: Any) -> list[dict[str, Any]]:
    answer = await owner.request("GET", "/sync/conflicts", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["conflicts"]
    assert answer.json()["total_count"] >= len(found)
    return found


async def resolve(owner: Owner, conflict_id: str, chosen_version: str, **fields: Any) -> httpx.Response:
    return await owner.request(
        "POST", f"/sync/conflicts/{conflict_id}/resolve", json={"chosen_version": chosen_version, **fields}
    )


async def dispute(owner: Owner, log_id: str = "log-1") -> str:
    """Let two devices back up different texts under one id; return the conflict's id."""
    await store(owner, backup(log_id))
    refused = backup(
        log_id, text="kept", device="tablet", minute=3, encrypted_embedding=encode_base64(b"e"), embedding_iv="v"
    )
    conflict_id: str = problem(await post(owner, refused), 409, "backup_conflict")["conflict_id"]
    return conflict_id


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_the_kept_version_of_a_backup_becomes_the_next_revision(owner: Owner, prefix: str) -> None:
    conflict_id = await dispute(owner)
    address = f"http://lockleaf.test{prefix}/sync/conflicts/{conflict_id}/resolve"
    answer = await owner.request("POST", address, json={"chosen_version": "local"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    assert body["message"]
    assert {name: body["details"][name] for name in ("conflict_id", "log_id", "chosen_version")} == {
        "conflict_id": conflict_id,
        "log_id": "log-1",
        "chosen_version": "local",
    }
    [found] = (await listed(owner))["backups"]
    assert (found["revision"], found["device_id"]) == (2, "tablet")
    assert (found["encrypted_content"], found["encrypted_embedding"]) == (encode_base64(b"kept"), encode_base64(b"e"))
    assert await conflicts(owner) == []
    await Reader(owner).read_all()


@pytest.mark.parametrize("choice", ["local", "merged"])
@pytest.mark.parametrize("minute", [3, 10**7], ids=["a clock like the server's", "a clock that is ahead"])
async def test_a_device_that_asks_for_what_is_new_is_given_what_was_chosen(
    owner: Owner, choice: str, minute: int
) -> None:
    conflict_id = await dispute(owner)
    await store(owner, backup(text="newer", minute=minute))
    [seen] = (await listed(owner, device_id="laptop"))["backups"]
    before = datetime.now(UTC)
    fields = {**MERGED, "client_updated_at": at(1)} if choice == "merged" else {}
    assert (await resolve(owner, conflict_id, choice, **fields)).status_code == 200
    # It is news to each of them: no device but the one that chose knows of the choice.
    for device in ("phone", "tablet", "laptop"):
        [found] = (await listed(owner, device_id=device, since=seen["updated_at"]))["backups"]
        assert datetime.fromisoformat(found["updated_at"]) >= before - timedelta(milliseconds=1)
        assert (found["revision"], found["device_id"], found["created_at"]) == (3, "tablet", at(-5))
    shown = (await owner.feed(collection="backups"))["changes"][-1]
    assert shown["occurred_at"] == found["updated_at"]


async def test_the_choice_between_times_at_the_end_of_the_calendar_is_possible(owner: Owner) -> None:
    end = "9999-12-31T23:59:59.999999Z"
    await store(owner, backup(updated_at=end))
    refused = problem(await post(owner, backup(text="kept", device="tablet", updated_at=end)), 409, "backup_conflict")
    assert (await resolve(owner, refused["conflict_id"], "local")).status_code == 200
    assert [found["updated_at"] for found in (await listed(owner))["backups"]] == [end]


@pytest.mark.parametrize("choice", ["local", "remote", "merged"])
async def test_after_a_choice_its_devices_write_on_and_a_late_retry_changes_nothing(owner: Owner, choice: str) -> None:
    conflict_id = await dispute(owner)
    assert (await resolve(owner, conflict_id, choice, **(MERGED if choice == "merged" else {}))).status_code == 200
    [chosen] = (await listed(owner))["backups"]
    refused = backup(text="kept", device="tablet", minute=3, encrypted_embedding=encode_base64(b"e"), embedding_iv="v")
    for _ in range(2):
        again = await post(owner, refused)
        if choice == "local":
            assert (again.status_code, again.json()["revision"]) == (201, 2)
        else:
            assert problem(again, 409, "backup_conflict")["conflict_id"] == conflict_id
    # The version that the server had is a retry too.
    assert (await post(owner, backup())).status_code == 201
    assert (await listed(owner))["backups"] == [chosen]
    assert await conflicts(owner) == []
    writer = "phone" if choice == "remote" else "tablet"
    later = datetime.fromisoformat(chosen["updated_at"]) + timedelta(minutes=1)
    written = backup(text="on", device=writer, updated_at=later.isoformat())
    assert await store(owner, written) == chosen["revision"] + 1


async def test_choosing_the_servers_backup_writes_nothing(owner: Owner) -> None:
    conflict_id = await dispute(owner)
    assert (await resolve(owner, conflict_id, "remote")).status_code == 200
    [found] = (await listed(owner))["backups"]
    assert (found["revision"], found["device_id"]) == (1, "phone")
    assert (await owner.feed())["seq"] == 1


async def test_a_merged_backup_brings_its_own_content(owner: Owner) -> None:
    conflict_id = await dispute(owner)
    problem(await resolve(owner, conflict_id, "merged"), 422, "content_required")
    content = encode_base64(b"merged")
    problem(await resolve(owner, conflict_id, "merged", final_encrypted_content=content), 422, "content_required")
    final = {
        "final_encrypted_content": content,
        "final_iv": "new iv",
        "final_tag": "new tag",
        "final_encrypted_embedding": encode_base64(b"new"),
        "final_embedding_iv": "new embedding iv",
        "device_id": "laptop",
        "client_updated_at": "2099-01-01T00:00:00Z",
    }
    assert (await resolve(owner, conflict_id, "merged", **final)).json()["details"]["revision"] == 2
    [found] = (await listed(owner))["backups"]
    assert {name: found.get(name) for name in ("content_iv", "content_tag", "embedding_iv", "embedding_tag")} == {
        "content_iv": "new iv",
        "content_tag": "new tag",
        "embedding_iv": "new embedding iv",
        "embedding_tag": None,
    }
    assert (found["encrypted_content"], found["device_id"]) == (content, "tablet")
    assert found["updated_at"] == final["client_updated_at"]
    # The laptop, which chose, knows of it; the tablet, whose backup it is, does not.
    assert (await listed(owner, device_id="laptop"))["backups"] == []
    assert (await listed(owner, device_id="tablet"))["backups"] == [found]


@pytest.mark.parametrize("choice", ["local", "remote"])
async def test_a_second_resolution_is_refused(owner: Owner, choice: str) -> None:
    conflict_id = await dispute(owner)
    assert (await resolve(owner, conflict_id, choice)).status_code == 200
    for again in ("local", "remote"):
        refused = problem(await resolve(owner, conflict_id, again), 409, "conflict_resolved")
        assert refused["chosen_version"] == choice


async def test_of_two_choices_at_once_one_stands(owner: Owner) -> None:
    conflict_id = await dispute(owner)
    answers = await asyncio.gather(*(resolve(owner, conflict_id, "local") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert (await owner.feed())["seq"] == 2


async def test_choices_and_deletions_at_once_do_not_wait_for_each_other(owner: Owner) -> None:
    for number in range(3):
        conflict_id = await dispute(owner, f"log-{number}")
        answers = await asyncio.gather(
            resolve(owner, conflict_id, "local"),
            owner.request("DELETE", "/sync/backup/content"),
            post(owner, backup(f"log-{number}", text="again", device="tablet")),
        )
        assert {answer.status_code for answer in answers} <= {200, 201, 404, 409}
    await Reader(owner).read_all()


async def test_a_choice_made_on_an_older_revision_is_refused(owner: Owner) -> None:
    conflict_id = await dispute(owner)
    await store(owner, backup(text="newer", minute=4))
    refused = problem(await resolve(owner, conflict_id, "local", base_revision=1), 409, "revision_conflict")
    assert refused["current_revision"] == 2
    assert (await resolve(owner, conflict_id, "local", base_revision=2)).status_code == 200


@pytest.mark.parametrize("choice", ["local", "remote", "merged"])
async def test_both_versions_can_still_be_read_after_the_choice(owner: Owner, choice: str) -> None:
    conflict_id = await dispute(owner)
    [before] = await conflicts(owner)
    assert (await resolve(owner, conflict_id, choice, **(MERGED if choice == "merged" else {}))).status_code == 200
    await store(owner, backup(text="newest", minute=9, base_revision=1 if choice == "remote" else 2))
    [after] = await conflicts(owner, resolved=True)
    assert after["chosen_version"] == choice
    assert after["resolved_at"] >= after["detected_at"]
    assert after["local_version"] == before["local_version"]
    assert after["remote_version"] == before["remote_version"]
    assert await conflicts(owner) == []


async def test_a_version_outlives_the_deletion_of_what_it_was_refused_by(owner: Owner) -> None:
    conflict_id = await dispute(owner)
    await owner.request("DELETE", "/sync/backup/log-1")
    [found] = await conflicts(owner)
    assert (found["remote_version"]["deleted"], found["remote_version"]["encrypted_content"]) == (True, None)
    assert (await resolve(owner, conflict_id, "local")).json()["details"]["revision"] == 3
    [back] = (await listed(owner))["backups"]
    assert back["encrypted_content"] == encode_base64(b"kept")


async def test_a_sealed_conflict_says_by_null_what_it_has_not(owner: Owner) -> None:
    first = change()
    second = following(first)
    await owner.results(first, second)
    refused = following(first, on_conflict="keep")
    await owner.results(refused)
    [found] = await conflicts(owner)
    for version, payload in (("local_version", refused["payload"]), ("remote_version", second["payload"])):
        shown = found[version]
        assert (shown["encrypted_content"], shown["iv"], shown["tag"]) == (encode_base64(payload), None, None)
        assert (shown["base_revision"], shown["parent"]) == (1, encode_base64(sha256(first["payload"]).digest()))


async def test_the_versions_around_a_sealed_resolution_can_still_be_read(owner: Owner) -> None:
    first = change()
    second = following(first)
    await owner.results(first, second)
    refused = following(first, on_conflict="keep")
    [result] = await owner.results(refused)
    body = {
        "chosen_version": "merged",
        "base_revision": 2,
        "parent": sha256(second["payload"]).digest(),
        "payload": sealed(),
    }
    headers = {"Content-Type": MSGPACK, "Accept": MSGPACK}
    path = f"/sync/conflicts/{result['conflict_id']}/resolve"
    assert (await owner.request("POST", path, content=pack(body), headers=headers)).status_code == 200
    answer = await owner.request("GET", "/sync/conflicts", params={"resolved": True}, headers=headers)
    [found] = unpack(answer.content)["conflicts"]
    assert found["local_version"]["encrypted_content"] == refused["payload"]
    assert found["remote_version"]["encrypted_content"] == second["payload"]
    assert found["local_version"]["iv"] is None


async def test_conflicts_of_all_collections_are_listed_together_page_by_page(owner: Owner) -> None:
    ids = [await dispute(owner, f"log-{number}") for number in range(3)]
    first = change()
    await owner.results(first, following(first))
    [kept] = await owner.results(following(first, on_conflict="keep"))
    page = (await owner.request("GET", "/sync/conflicts", params={"limit": 3})).json()
    assert ([each["id"] for each in page["conflicts"]], page["total_count"]) == (ids, 4)
    rest = await conflicts(owner, cursor=page["next_cursor"])
    assert [(each["id"], each["collection"]) for each in rest] == [(kept["conflict_id"], "entries")]
    answer = await owner.request("GET", "/sync/conflicts", params={"cursor": page["next_cursor"], "resolved": True})
    problem(answer, 422, "invalid_cursor")


async def test_another_users_conflict_is_not_there(owner: Owner, http: httpx.AsyncClient) -> None:
    conflict_id = await dispute(owner)
    stranger = await register(http)
    assert await conflicts(stranger) == []
    assert await conflicts(stranger, resolved=True) == []
    there = problem(await resolve(stranger, conflict_id, "local"), 404, "not_found")
    none = problem(await resolve(stranger, conflict_id.replace(conflict_id[-1], "0"), "local"), 404, "not_found")
    assert there == none
    assert len(await conflicts(owner)) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"chosen_version": "mine"}, {"final_iv": "x" * 257}, {"final_encrypted_content": "!"}, {"tags": "a"}],
    ids=str,
)
async def test_what_is_no_choice_is_refused(owner: Owner, wrong: dict[str, Any]) -> None:
    conflict_id = await dispute(owner)
    refused = problem(await resolve(owner, conflict_id, **{"chosen_version": "local", **wrong}), 422, "invalid_request")
    assert [error["field"] for error in refused["errors"]] == list(wrong)
    assert len(await conflicts(owner)) == 1


# ---- the rule of backups, against a model that knows nothing but devices ---------------------------------------------

_DEVICES, _TEXTS = ("phone", "tablet"), (b"one", b"two")
_SENT = st.tuples(st.sampled_from(_DEVICES), st.sampled_from(_TEXTS), st.integers(0, 2))


def _fields(device: str, text: bytes, minute: int) -> dict[str, Any]:
    time = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=minute)
    return {"log_id": "x", "encrypted_content": text, "content_iv": "", "device_id": device, "updated_at": time}


@given(there=st.none() | _SENT, sent=_SENT, base=st.none() | st.integers(0, 3), revision=st.integers(1, 3))
@settings(max_examples=100)
def test_another_devices_text_is_never_replaced_by_who_names_no_revision(
    there: tuple[str, bytes, int] | None, sent: tuple[str, bytes, int], base: int | None, revision: int
) -> None:
    current = revision if there is not None else 0
    verdict = judge(None if there is None else canonical(_fields(*there)), current, _fields(*sent), base)
    if there == sent:
        expected = Verdict.SAME
    elif base is not None:
        expected = Verdict.WRITE if base == current else Verdict.CONFLICT
    elif there is None or there[0] == sent[0]:
        expected = Verdict.WRITE
    else:
        expected = Verdict.SAME if there[1:] == sent[1:] else Verdict.CONFLICT
    assert verdict is expected


@given(sent=st.lists(_SENT, min_size=1, max_size=8))
@settings(max_examples=15)
def test_every_text_that_a_device_sent_is_kept_somewhere(server: Any, sent: list[tuple[str, bytes, int]]) -> None:
    """As a backup, as an earlier revision of one, or as a conflict; and what is there was written by who could."""

    async def run() -> None:
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1") as http:
            owner = await register(http)
            present: tuple[str, bytes, int] | None = None
            accepted: set[tuple[str, bytes, int]] = set()
            refused: set[tuple[bytes, int, str]] = set()
            for device, text, minute in sent:
                answer = await post(owner, backup(text=text.decode(), device=device, minute=minute))
                offered = (device, text, minute)
                if present is None or device == present[0]:
                    assert answer.status_code == 201
                    older = present is not None and minute <= present[2] and offered in accepted
                    present = present if older else offered
                    accepted.add(offered)
                elif offered in accepted or offered[1:] == present[1:]:
                    assert answer.status_code == 201
                else:
                    assert answer.status_code == 409
                    refused.add((text, minute, device))
            assert present is not None
            [found] = (await listed(owner))["backups"]
            assert (found["device_id"], found["encrypted_content"], found["updated_at"]) == (
                present[0],
                encode_base64(present[1]),
                at(present[2]),
            )
            kept = [each["local_version"] for each in await conflicts(owner)]
            assert {(v["encrypted_content"], v["updated_at"], v["device_id"]) for v in kept} == {
                (encode_base64(text), at(minute), device) for text, minute, device in refused
            }
            hashes = {leaf.payload_hash for leaf in await Reader(owner).read_all()}
            assert len(hashes) == len(accepted)

    asyncio.run(run())
