"""What the server adds up is what was encrypted, within the stated error, whichever way a range is cut."""

from __future__ import annotations

import httpx
import pytest
import tenseal

from lockleaf.he import codec
from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.account_holders import problem
from tests.support.measurers import Measurer, measurer, register_key
from tests.support.metrics import holder, plain_context, plain_public

DAYS = {
    "2023-12-31T23:59:59Z": 1.0,
    "2024-01-01T00:00:00Z": 2.0,
    "2024-01-31T12:00:00Z": 4.0,
    "2024-02-29T08:00:00Z": 8.0,
    "2024-12-31T23:59:59.999999Z": 16.0,
    "2025-03-10T10:00:00Z": 32.0,
    "2026-06-01T00:00:00Z": 64.0,
}
RANGES: list[tuple[str | None, str | None]] = [
    (None, None),
    ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ("2024-01-01T00:00:01Z", "2025-01-01T00:00:00Z"),
    ("2024-01-31T12:00:00Z", "2024-01-31T12:00:01Z"),
    ("2023-12-31T00:00:00Z", "2024-02-01T00:00:00Z"),
    ("2023-01-01T00:00:00Z", "2026-06-01T00:00:00Z"),
    (None, "2024-02-29T08:00:00Z"),
    ("2024-02-29T08:00:00+00:00", None),
    ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
]


@pytest.fixture
async def someone(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http)


def within(start: str | None, end: str | None) -> list[float]:
    return [
        number for at, number in DAYS.items() if (start is None or at >= start[:19]) and (end is None or at < end[:19])
    ]


async def test_any_range_is_the_sum_and_the_average_of_its_values(someone: Measurer) -> None:
    await someone.sent(*(someone.value(number, at) for at, number in DAYS.items()))
    for start, end in RANGES:
        expected = within(start, end)
        time_range = {name: value for name, value in (("start", start), ("end", end)) if value}
        found = await someone.result(time_range=time_range)
        assert found["count"] == len(expected)
        error = someone.keys.parameters.sum_error(len(expected), sum(expected))
        assert someone.read(found["encrypted_result"]) == pytest.approx(sum(expected), abs=error)
        average = await someone.result("average", time_range=time_range)
        assert average["divisor"] == 1
        assert someone.read(average["encrypted_result"]) == pytest.approx(sum(expected) / len(expected), abs=error)


async def test_buckets_are_days_weeks_months_and_years_in_utc(someone: Measurer) -> None:
    await someone.sent(*(someone.value(number, at) for at, number in DAYS.items()))
    expected = {
        "day": [
            ("2023-12-31", 1.0),
            ("2024-01-01", 2.0),
            ("2024-01-31", 4.0),
            ("2024-02-29", 8.0),
            ("2024-12-31", 16.0),
            ("2025-03-10", 32.0),
            ("2026-06-01", 64.0),
        ],
        "week": [
            ("2023-12-25", 1.0),
            ("2024-01-01", 2.0),
            ("2024-01-29", 4.0),
            ("2024-02-26", 8.0),
            ("2024-12-30", 16.0),
            ("2025-03-10", 32.0),
            ("2026-06-01", 64.0),
        ],
        "month": [
            ("2023-12-01", 1.0),
            ("2024-01-01", 6.0),
            ("2024-02-01", 8.0),
            ("2024-12-01", 16.0),
            ("2025-03-01", 32.0),
            ("2026-06-01", 64.0),
        ],
        "year": [("2023-01-01", 1.0), ("2024-01-01", 30.0), ("2025-01-01", 32.0), ("2026-01-01", 64.0)],
    }
    for bucket, results in expected.items():
        for limit in (31, 2):
            found: list[tuple[str, float]] = []
            fields: dict[str, str] = {}
            while True:
                page = await someone.result(bucket=bucket, limit=limit, **fields)
                assert len(page["buckets"]) <= limit
                found += [(each["start"][:10], someone.read(each["encrypted_result"])) for each in page["buckets"]]
                if "next_cursor" not in page:
                    break
                fields = {"cursor": page["next_cursor"]}
            assert [start for start, _ in found] == [start for start, _ in results]
            assert [number for _, number in found] == pytest.approx([number for _, number in results], abs=0.01)


async def test_a_bucket_that_the_range_cuts_holds_what_is_in_the_range(someone: Measurer) -> None:
    await someone.sent(*(someone.value(number, at) for at, number in DAYS.items()))
    cut = {"start": "2024-01-31T00:00:00Z", "end": "2025-03-10T10:00:00Z"}
    page = await someone.result(bucket="year", time_range=cut)
    [only] = page["buckets"]
    assert (only["start"][:4], only["count"]) == ("2024", 3)
    assert someone.read(only["encrypted_result"]) == pytest.approx(28, abs=0.01)
    months = await someone.result("average", bucket="month", time_range=cut)
    averages = [someone.read(each["encrypted_result"]) / each["divisor"] for each in months["buckets"]]
    assert averages == pytest.approx([4, 8, 16], abs=0.01)


async def test_a_cursor_is_good_for_its_question_and_its_account_alone(
    someone: Measurer, http: httpx.AsyncClient
) -> None:
    await someone.sent(*(someone.value(number, at) for at, number in DAYS.items()))
    cursor = (await someone.result(bucket="day", limit=1))["next_cursor"]
    other = await measurer(http)
    await other.sent(other.value(1, "2024-01-01T00:00:00Z"))
    for asking, fields in ((someone, {"bucket": "week"}), (someone, {"bucket": "day", "operation": "average"})):
        problem(await asking.aggregate(**{"cursor": cursor, **fields}), 422, "invalid_cursor")
    problem(await other.aggregate(bucket="day", cursor=cursor), 422, "invalid_cursor")


async def test_a_value_that_comes_late_or_is_deleted_is_in_or_out_of_every_sum(someone: Measurer) -> None:
    first, second, third = (someone.value(number, "2024-05-05T05:05:05Z") for number in (10.0, 20.0, 40.0))
    await someone.sent(first)
    assert await someone.total(bucket=None) == pytest.approx(10, abs=0.01)
    await someone.sent(second, third)
    year = {"start": "2024-01-01T00:00:00Z", "end": "2025-01-01T00:00:00Z"}
    month = {"start": "2024-05-01T00:00:00Z", "end": "2024-06-01T00:00:00Z"}
    day = {"start": "2024-05-05T00:00:00Z", "end": "2024-05-06T00:00:00Z"}
    for gone, left in ((second, 50.0), (first, 40.0)):
        assert (await someone.ask("DELETE", f"/metrics/{gone['id']}")).status_code == 204
        for time_range in (None, year, month, day):
            assert await someone.total(time_range=time_range) == pytest.approx(left, abs=0.01)
    assert (await someone.ask("DELETE", f"/metrics/{third['id']}")).status_code == 204
    for time_range in (None, year, month, day):
        problem(await someone.aggregate(time_range=time_range), 404, "no_metrics")
    problem(await someone.ask("DELETE", f"/metrics/{third['id']}"), 404, "not_found")
    await someone.sent(third)
    assert await someone.total() == pytest.approx(40, abs=0.01)


async def test_types_sets_and_accounts_are_never_mixed(http: httpx.AsyncClient, someone: Measurer) -> None:
    other = await measurer(http)
    large = Measurer(someone.owner, holder("ckks-8192"))
    await register_key(someone.owner, large.keys.public, privacy_tier="analytics_sync")
    await someone.sent(someone.value(1, "2024-01-01T00:00:00Z"), someone.value(2, "2024-01-01T00:00:00Z", "mood"))
    await large.sent(large.value(4, "2024-01-01T00:00:00Z"))
    await other.sent(other.value(8, "2024-01-01T00:00:00Z"))
    totals = [await someone.total(), await someone.total("sum", "mood"), await large.total(), await other.total()]
    assert totals == pytest.approx([1, 2, 4, 8], abs=0.01)


async def test_an_answer_is_read_by_the_clients_own_tenseal_and_divided_already(http: httpx.AsyncClient) -> None:
    context = plain_context("ckks-8192")
    simple = await measurer(http, parameter_set="ckks-8192", public=plain_public(context))
    numbers = [3.5, 4.25, 10.0]
    uploads = [
        {
            "metric_type": "words",
            "encrypted_value": encode_base64(tenseal.ckks_vector(context, [number]).serialize()),
            "timestamp": "2024-01-01T08:00:00",
        }
        for number in numbers
    ]
    stored = await simple.owner.request("POST", "/encryption/metrics", json={"metrics": uploads})
    assert stored.status_code == 201
    assert stored.json()["details"]["count"] == 3
    question = {"metric_type": "words", "operation": "average"}
    answer = (await simple.owner.request("POST", "/encryption/aggregate", json=question)).json()
    assert (answer["metric_type"], answer["operation"], answer["count"], answer["divisor"]) == (
        "words",
        "average",
        3,
        1,
    )
    result = tenseal.ckks_vector_from(context, decode_base64(answer["encrypted_result"]))
    assert result.decrypt() == pytest.approx([sum(numbers) / 3], abs=1e-5)


async def test_an_answer_bears_the_version_of_seal_that_the_metric_was_last_uploaded_in(someone: Measurer) -> None:
    older = someone.value(1, "2024-01-01T00:00:00Z")
    older["encrypted_value"] = codec.with_version(older["encrypted_value"], "4.1", someone.keys.parameters)
    newer = someone.value(2, "2025-01-01T00:00:00Z")
    await someone.sent(newer)
    await someone.sent(older)
    for asked, version in ((None, "4.1"), ("4.3", "4.3"), ("4.1", "4.1")):
        result = (await someone.result(seal_version=asked))["encrypted_result"]
        assert codec.client_version(result) == version
        assert someone.read(result) == pytest.approx(3, abs=0.01)
    await someone.sent(someone.value(4, "2023-01-01T00:00:00Z"))
    assert codec.client_version((await someone.result())["encrypted_result"]) == "4.3"
