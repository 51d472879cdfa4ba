"""Packed months: deltas are added to their accumulator once, each change once, and only the client reads the slots."""

from __future__ import annotations

import asyncio
from datetime import date

import httpx
import pytest

from lockleaf.he import encrypt
from lockleaf.he.decrypt import decrypt_months
from lockleaf.he.layout import DayTotal, Delta, Layout
from lockleaf.he.params import CKKS_4096
from lockleaf.wire.codec import unpack
from tests.support.account_holders import problem
from tests.support.accounts import change, following
from tests.support.measurers import Measurer, measurer

LAYOUT = "month-1:words"
JANUARY, FEBRUARY = "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"


@pytest.fixture
async def someone(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http)


@pytest.fixture
async def syncing(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http, privacy_tier="full_sync")


async def packed(of: Measurer, **fields: object) -> dict[str, object]:
    return await of.result(metric_type=None, layout=LAYOUT, **fields)


async def slots(of: Measurer, **fields: object) -> list[float]:
    found = await packed(of, **fields)
    return of.slots(found["encrypted_result"])  # type: ignore[arg-type]


async def test_deltas_add_up_slot_by_slot(someone: Measurer) -> None:
    one = someone.delta(LAYOUT, [1.0, 0.0, 5.0], JANUARY)
    await someone.sent(one, someone.delta(LAYOUT, [2.0, 3.0, -1.0], "2024-01-31T23:59:59Z"))
    await someone.sent(one)
    await someone.sent(someone.delta(LAYOUT, [100.0, 0.0, 0.0], FEBRUARY))
    assert await slots(someone) == pytest.approx([103, 3, 4], abs=0.01)
    found = await packed(someone, bucket="month")
    assert [(each["start"], each["count"]) for each in found["buckets"]] == [(JANUARY, 2), (FEBRUARY, 1)]  # type: ignore[attr-defined]
    [year] = (await packed(someone, bucket="year"))["buckets"]  # type: ignore[misc]
    assert year["count"] == 3
    assert someone.slots(year["encrypted_result"]) == pytest.approx([103, 3, 4], abs=0.01)


async def test_months_that_the_range_cuts_are_given_apart(someone: Measurer) -> None:
    for month in range(1, 6):
        await someone.sent(someone.delta(LAYOUT, [10.0**month], f"2024-{month:02}-01T00:00:00Z"))
    cut = {"start": "2024-01-15T00:00:00Z", "end": "2024-04-02T00:00:00Z"}
    for bucket in (None, "month", "year"):
        found = await packed(someone, time_range=cut, bucket=bucket)
        apart = {each["start"][:7]: someone.read(each["encrypted_result"]) for each in found["partial"]}  # type: ignore[attr-defined]
        assert apart == pytest.approx({"2024-01": 10, "2024-04": 10_000}, rel=1e-3)
        whole = [found] if bucket is None else found["buckets"]
        assert sum(someone.read(each["encrypted_result"]) for each in whole) == pytest.approx(1100, rel=1e-3)  # type: ignore[attr-defined]
    within = await packed(someone, time_range={"start": "2024-01-15T00:00:00Z", "end": "2024-01-16T00:00:00Z"})
    assert "encrypted_result" not in within
    [only] = within["partial"]  # type: ignore[misc]
    assert someone.read(only["encrypted_result"]) == pytest.approx(10, abs=0.01)
    before = {"end": "2023-06-06T00:00:00Z"}
    problem(await someone.aggregate(metric_type=None, layout=LAYOUT, time_range=before), 404, "no_metrics")
    problem(await someone.aggregate(metric_type=None, layout="month-1:other"), 404, "no_metrics")


async def test_pages_of_months_lead_on(someone: Measurer) -> None:
    for month in range(1, 6):
        await someone.sent(someone.delta(LAYOUT, [1.0], f"2024-{month:02}-01T00:00:00Z"))
    found, fields = [], {}
    while True:
        page = await packed(someone, bucket="month", limit=2, **fields)
        found += [each["start"][5:7] for each in page["buckets"]]  # type: ignore[attr-defined]
        if "next_cursor" not in page:
            break
        fields = {"cursor": page["next_cursor"]}
    assert found == ["01", "02", "03", "04", "05"]
    listed = unpack((await someone.ask("GET", "/metrics", params={"packed": "true", "limit": 3})).content)
    assert [each["timestamp"][5:7] for each in listed["items"]] == ["01", "02", "03"]
    rest = {"packed": "true", "cursor": listed["next_cursor"]}
    listed = unpack((await someone.ask("GET", "/metrics", params=rest)).content)
    assert [(each["layout"], each["additions"]) for each in listed["items"]] == [(LAYOUT, 1)] * 2
    assert "next_cursor" not in listed


async def test_what_the_clients_layout_packs_comes_back_by_day_and_metric(someone: Measurer) -> None:
    layout = Layout(CKKS_4096)
    for values in ([250.0, 30.0], [100.0]):
        delta = Delta(layout)
        for value in values:
            delta.add(date(2024, 2, 29), "word_count", value)
        for blob in encrypt.encrypt_delta(someone.keys.key, delta).values():
            metric = someone.delta(layout.identifier, [0.0], "2024-02-01T00:00:00Z")
            await someone.sent({**metric, "encrypted_value": blob})
    found = await someone.result(metric_type=None, layout=layout.identifier)
    read = decrypt_months(someone.keys.key, found["encrypted_result"], layout)
    assert read == {("word_count", 29): DayTotal(3, pytest.approx(380, abs=0.1), pytest.approx(73_400, rel=0.05))}


async def test_deltas_of_other_widths_are_refused(someone: Measurer) -> None:
    await someone.sent(someone.delta(LAYOUT, [1.0, 2.0], JANUARY))
    narrow = someone.delta(LAYOUT, [1.0], JANUARY)
    for request in (
        [someone.delta(LAYOUT, [1.0, 2.0], FEBRUARY), narrow],
        [someone.delta(LAYOUT, [1.0] * 2, JANUARY), narrow],
    ):
        refused = problem(await someone.send(*request), 422, "invalid_ciphertext")
        assert (refused["item"], refused["reason"]) == (1, "slots")
    assert await slots(someone) == pytest.approx([1, 2], abs=0.01)


async def test_a_delta_counts_once_and_its_id_is_not_for_another(someone: Measurer) -> None:
    delta = someone.delta(LAYOUT, [1.0], JANUARY)
    await asyncio.gather(*(someone.sent(delta) for _ in range(4)))
    assert await slots(someone) == pytest.approx([1], abs=0.01)
    problem(await someone.send({**delta, "timestamp": FEBRUARY}), 409, "metric_id_taken")
    problem(await someone.ask("DELETE", f"/metrics/{delta['id']}"), 404, "not_found")


async def test_a_change_counts_once_whichever_device_sends_it(syncing: Measurer) -> None:
    entry = change()
    edit = following(entry)
    await syncing.owner.results(entry, edit, change(record_id="other"))
    one, two = ({"record_id": entry["record_id"], "revision": revision} for revision in (1, 2))
    await syncing.sent(syncing.delta(LAYOUT, [1.0], JANUARY, change=one))
    both = syncing.delta(LAYOUT, [3.0], JANUARY, change=[two, one])
    new = syncing.delta(LAYOUT, [50.0], JANUARY)
    refused = problem(await syncing.send(new, both), 409, "already_counted")
    assert refused["changes"] == [{"item": 1, **one}]
    await syncing.sent(new, syncing.delta(LAYOUT, [2.0], JANUARY, change=two))
    assert await slots(syncing) == pytest.approx([53], abs=0.01)


async def test_of_two_devices_that_count_the_same_changes_at_once_one_does(syncing: Measurer) -> None:
    entries = [change() for _ in range(3)]
    await syncing.owner.results(*entries)
    causes = [{"record_id": entry["record_id"], "revision": 1} for entry in entries]
    answers = await asyncio.gather(
        *(syncing.send(syncing.delta(LAYOUT, [3.0], JANUARY, change=order)) for order in (causes, causes[::-1]) * 2)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await slots(syncing) == pytest.approx([3], abs=0.01)


async def test_an_entry_that_moves_counts_in_both_of_its_months(syncing: Measurer) -> None:
    entry = change()
    await syncing.owner.results(entry, following(entry))
    moved = {"record_id": entry["record_id"], "revision": 2}
    await syncing.sent(syncing.delta(LAYOUT, [-1.0], JANUARY, change=moved))
    await syncing.sent(syncing.delta(LAYOUT, [1.0], FEBRUARY, change=moved))
    twice = [syncing.delta(LAYOUT, [1.0], "2024-03-01T00:00:00Z", change=moved) for _ in range(2)]
    assert problem(await syncing.send(*twice), 409, "already_counted")["changes"] == [{"item": 1, **moved}]
    assert await slots(syncing) == pytest.approx([0], abs=0.01)
    other = "month-1:words,mood"
    await syncing.sent(syncing.delta(other, [1.0], JANUARY, change=moved))


async def test_only_what_was_accepted_causes_anything(syncing: Measurer) -> None:
    entry = change()
    await syncing.owner.results(entry, change(collection="x-other", record_id="elsewhere"))
    accepted = {"record_id": entry["record_id"], "revision": 1}
    unknown = [
        {"record_id": entry["record_id"], "revision": 2},
        {"record_id": "elsewhere", "revision": 1},
        {"record_id": "never", "revision": 1},
    ]
    delta = syncing.delta(LAYOUT, [1.0], JANUARY, change=[accepted, *unknown])
    refused = problem(await syncing.send(delta), 409, "change_not_accepted")
    assert refused["changes"] == [{"item": 0, **each} for each in unknown]
    problem(await syncing.aggregate(metric_type=None, layout=LAYOUT), 404, "no_metrics")
    await syncing.sent({**delta, "change": [accepted]})


async def test_where_the_server_has_no_entries_the_id_alone_tells_deltas_apart(someone: Measurer) -> None:
    cause = {"record_id": "local", "revision": 7}
    for _ in range(2):
        await someone.sent(someone.delta(LAYOUT, [1.0], JANUARY, change=cause))
    assert await slots(someone) == pytest.approx([2], abs=0.01)


@pytest.mark.parametrize(
    "wrong",
    [{"operation": "average"}, {"bucket": "day"}, {"bucket": "week"}, {"layout": None}, {"cursor": "x"}],
    ids=str,
)
async def test_what_only_the_client_can_tell_is_not_asked_of_the_server(
    someone: Measurer, wrong: dict[str, object]
) -> None:
    question = {"operation": "sum", "layout": LAYOUT, "parameter_set": "ckks-4096", **wrong}
    answer = await someone.ask("POST", "/aggregate", {name: value for name, value in question.items() if value})
    problem(answer, 422, "invalid_request")
