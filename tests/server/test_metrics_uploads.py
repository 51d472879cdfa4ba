"""What is uploaded is counted once, all of a request or nothing, whoever else uploads at the same time."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from lockleaf.wire.codec import unpack
from tests.support.account_holders import Person, problem
from tests.support.accounts import register
from tests.support.measurers import SMALL, Measurer, measurer
from tests.support.metrics import holder
from tests.support.process import RunningServer

AT = "2024-05-05T05:05:05Z"


@pytest.fixture
async def someone(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http)


async def test_a_metric_counts_once_however_often_it_is_sent(someone: Measurer) -> None:
    metrics = [someone.value(number, AT) for number in (1.0, 2.0)]
    first = await someone.sent(*metrics)
    assert first["success"] is True
    assert first["details"] == {"count": 2, "ids": [each["id"] for each in metrics]}
    assert await someone.sent(*metrics) == first
    new = someone.value(4, AT)
    assert (await someone.sent(metrics[0], new, metrics[0], new))["details"]["count"] == 4
    assert await someone.total() == pytest.approx(7, abs=0.01)


async def test_without_an_id_the_server_gives_one_and_each_counts(someone: Measurer) -> None:
    metric = {**someone.value(1, AT), "id": None}
    ids = [*(await someone.sent(metric, metric))["details"]["ids"], *(await someone.sent(metric))["details"]["ids"]]
    assert len(set(ids)) == 3
    assert await someone.total() == pytest.approx(3, abs=0.01)
    assert (await someone.ask("DELETE", f"/metrics/{ids[0]}")).status_code == 204
    assert await someone.total() == pytest.approx(2, abs=0.01)


async def test_an_id_belongs_to_what_it_was_first_given_to(someone: Measurer) -> None:
    metric = someone.value(1, AT)
    await someone.sent(metric)
    others = (
        {**metric, "encrypted_value": someone.keys.blob(1)},
        {**metric, "timestamp": "2024-05-05T05:05:06Z"},
        {**metric, "metric_type": "mood"},
        {**metric, "encrypted_square": someone.keys.blob(1)},
    )
    for other in others:
        refused = problem(await someone.send(someone.value(2, AT), other), 409, "metric_id_taken")
        assert refused["item"] == 1
    new = someone.value(1, AT)
    problem(await someone.send(new, {**new, "metric_type": "mood"}), 409, "metric_id_taken")
    assert await someone.total() == pytest.approx(1, abs=0.01)


async def test_another_accounts_ids_are_its_own(http: httpx.AsyncClient, someone: Measurer) -> None:
    other = await measurer(http)
    metric = someone.value(1, AT)
    await someone.sent(metric)
    await other.sent({**metric, "encrypted_value": other.keys.blob(2)})
    problem(await (await measurer(http)).ask("DELETE", f"/metrics/{metric['id']}"), 404, "not_found")
    assert [await someone.total(), await other.total()] == pytest.approx([1, 2], abs=0.01)


async def test_one_that_is_refused_keeps_all_of_its_request_from_being_counted(someone: Measurer) -> None:
    bad = {**someone.value(1, AT), "encrypted_value": holder("ckks-8192").blob(1)}
    refused = problem(await someone.send(someone.value(1, AT), bad, someone.value(1, AT)), 422, "invalid_ciphertext")
    assert (refused["item"], refused["field"], refused["reason"]) == (1, "encrypted_value", "too_large")
    squares = someone.value(1, AT, encrypted_square=someone.keys.blob(1)[:-1])
    refused = problem(await someone.send(squares), 422, "invalid_ciphertext")
    assert (refused["item"], refused["field"]) == (0, "encrypted_square")
    two = {**someone.value(1, AT), "encrypted_value": someone.keys.blob(1, 2)}
    assert problem(await someone.send(two), 422, "invalid_ciphertext")["reason"] == "slots"
    problem(await someone.aggregate(), 404, "no_metrics")
    assert unpack((await someone.ask("GET", "/metrics")).content) == {"items": []}


async def test_no_metric_is_taken_before_a_public_key_of_its_set_is_registered(http: httpx.AsyncClient) -> None:
    owner = await register(http, privacy_tier="full_sync")
    keyless = Measurer(owner, holder(SMALL))
    assert problem(await keyless.send(keyless.value(1, AT)), 409, "he_key_required")["parameter_set"] == SMALL
    keyed = await measurer(http)
    large = Measurer(keyed.owner, holder("ckks-8192"))
    assert problem(await large.send(large.value(1, AT)), 409, "he_key_required")["parameter_set"] == "ckks-8192"


async def test_uploads_at_once_lose_nothing_and_count_nothing_twice(server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
        someone = await measurer(http)
        months = [f"2024-{month:02}-10T00:00:00Z" for month in (1, 2, 3)]
        batches = [[someone.value(1, at) for at in months] for _ in range(8)]
        # Each from two devices at once, and in another order.
        answers = await asyncio.gather(*(someone.send(*batch) for each in batches for batch in (each, each[::-1])))
        assert {answer.status_code for answer in answers} == {201}
        found = await someone.result(bucket="month")
        assert [each["count"] for each in found["buckets"]] == [8, 8, 8]
        numbers = [someone.read(each["encrypted_result"]) for each in found["buckets"]]
        assert numbers == pytest.approx([8, 8, 8], abs=0.01)
        assert await someone.total() == pytest.approx(24, abs=0.01)


async def test_what_is_deleted_and_uploaded_at_once_leaves_sums_that_are_right(someone: Measurer) -> None:
    gone, kept = [someone.value(1, AT) for _ in range(6)], [someone.value(10, AT) for _ in range(6)]
    await someone.sent(*gone)
    deleting = [someone.ask("DELETE", f"/metrics/{each['id']}") for each in gone]
    answers = await asyncio.gather(*deleting, *(someone.send(each) for each in kept))
    assert [answer.status_code for answer in answers] == [204] * 6 + [201] * 6
    assert await someone.total() == pytest.approx(60, abs=0.01)
    assert (await someone.result())["count"] == 6


async def test_metrics_are_listed_by_time_without_what_is_in_them(someone: Measurer) -> None:
    metrics = [someone.value(index, f"2024-05-0{9 - index}T00:00:00Z", "a" if index % 2 else "b") for index in range(5)]
    await someone.sent(*metrics)
    ordered = [each["id"] for each in reversed(metrics)]
    for params, expected in (({}, ordered), ({"metric_type": "b"}, ordered[::2]), ({"metric_type": "c"}, [])):
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await someone.ask("GET", "/metrics", params={"limit": 2, **params, **cursor})
            page = unpack(answer.content)
            assert all(
                set(each) == {"id", "metric_type", "parameter_set", "timestamp", "size"} for each in page["items"]
            )
            found += [each["id"] for each in page["items"]]
            if "next_cursor" not in page:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert found == expected


async def test_lowering_the_tier_deletes_metrics_and_keys_and_counts_them(
    someone: Measurer, database_url: str, http: httpx.AsyncClient
) -> None:
    await someone.sent(someone.value(1, AT), someone.value(2, AT))
    await someone.sent(someone.delta("month-1:words", [1.0], AT))
    used = (await someone.owner.request("GET", "/auth/features")).json()
    assert used["features"]["analytics"] is True
    assert used["storage"]["used_bytes"] > 5 * 50_000
    body = {"sealed_key": b"x" * 100, "base_version": 0}
    assert (await someone.ask("PUT", f"/keys/{SMALL}", body)).status_code == 200
    lowered = await someone.owner.request("DELETE", "/users/me/privacy/revoke")
    assert lowered.json()["deleted_metrics"] == 3
    assert await _rows(database_url, someone) == {}
    problem(await someone.send(someone.value(1, AT)), 403, "tier_required")
    features = (await someone.owner.request("GET", "/auth/features")).json()
    assert (features["features"]["analytics"], features["storage"]["used_bytes"]) == (False, 0)


async def test_all_metrics_can_be_deleted_and_the_key_stays_for_the_next(someone: Measurer, database_url: str) -> None:
    await someone.sent(someone.value(1, AT), someone.value(2, AT))
    await someone.ask("PUT", f"/keys/{SMALL}", {"sealed_key": b"x" * 100, "base_version": 0})
    answer = await someone.owner.request("DELETE", "/sync/metrics/all")
    assert answer.json()["deleted_metrics"] == 2
    assert await _rows(database_url, someone) == {"metric_keys": 1}


async def test_what_is_uploaded_while_the_tier_is_lowered_is_not_left_behind(
    someone: Measurer, database_url: str
) -> None:
    uploads = [someone.send(someone.value(1, AT)) for _ in range(6)]
    answers = await asyncio.gather(*uploads, someone.owner.request("DELETE", "/users/me/privacy/revoke"))
    assert {answer.status_code for answer in answers[:-1]} <= {201, 403, 409}
    assert answers[-1].status_code == 200
    assert await _rows(database_url, someone) == {}


async def test_who_may_read_metrics_alone_changes_nothing(someone: Measurer, http: httpx.AsyncClient) -> None:
    metric = someone.value(1, AT)
    await someone.sent(metric)
    login = {"email": someone.owner.email, "password": someone.owner.password, "scope": "metrics:read"}
    someone.owner.answer = (await http.post("/auth/login", json=login)).json()
    assert await someone.total() == pytest.approx(1, abs=0.01)
    assert (await someone.ask("GET", "/metrics")).status_code == 200
    for answer in (
        await someone.send(metric),
        await someone.ask("DELETE", f"/metrics/{metric['id']}"),
        await someone.ask("PUT", f"/keys/{SMALL}", {"sealed_key": b"x", "base_version": 0}),
    ):
        assert problem(answer, 403, "insufficient_scope")["required"] == "metrics"


@pytest.mark.parametrize(
    "wrong",
    [
        {"metric_type": None},
        {"metric_type": ""},
        {"metric_type": "a/b"},
        {"timestamp": "yesterday"},
        {"timestamp": "9999-06-01T00:00:00Z"},
        {"parameter_set": "ckks-16384"},
        {"encrypted_value": b""},
        {"encrypted_value": "text"},
        {"id": "a b"},
        {"change": {"record_id": "x", "revision": 1}},
        {"layout": "month-1:words", "id": None},
        {"layout": "no colon"},
        {"layout": "month-1:words", "encrypted_square": b"x"},
        {"layout": "month-1:words", "change": []},
        {"layout": "month-1:words", "change": {"record_id": "x", "revision": 0}},
        {"layout": "month-1:words", "change": [{"record_id": "x", "revision": 1}] * 501},
    ],
    ids=str,
)
async def test_what_is_no_metric_is_refused_without_being_repeated(someone: Measurer, wrong: dict[str, object]) -> None:
    answer = await someone.send({**someone.value(1, AT), **wrong})
    problem(answer, 422, "invalid_request")
    assert len(answer.content) < 2000


async def test_an_upload_has_five_hundred_metrics_and_eight_mebibytes_at_most(someone: Measurer) -> None:
    metric = {**someone.value(1, AT), "encrypted_value": b"x"}
    problem(await someone.send(*([metric] * 501)), 422, "invalid_request")
    problem(await someone.send(), 422, "invalid_request")
    problem(await someone.send({**metric, "encrypted_value": bytes(9 * 2**20)}), 413, "body_too_large")


async def test_metrics_of_an_account_go_with_it(http: httpx.AsyncClient, app: FastAPI, database_url: str) -> None:
    ada = await Person(id=uuid4()).sign_up(http, privacy_tier="full_sync")
    someone = await measurer(http)
    await someone.sent(someone.value(1, AT))
    assert await _rows(database_url, someone) != {}
    answer = await someone.owner.request("DELETE", "/users/me", json={"current_password": someone.owner.password})
    assert answer.status_code == 204
    assert await _rows(database_url, someone) == {}
    assert await ada.is_signed_in(http)


async def _rows(database_url: str, of: Measurer) -> dict[str, int]:
    connection = await asyncpg.connect(database_url)
    try:
        counts = {
            table: await connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE user_id = $1", UUID(of.owner.answer["id"])
            )
            for table in ("metrics", "metric_sums", "metric_packs", "metric_deltas", "metric_causes", "metric_keys")
        }
    finally:
        await connection.close()
    return {table: count for table, count in counts.items() if count}
