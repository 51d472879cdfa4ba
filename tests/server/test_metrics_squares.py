"""Variances, weighted sums and trends: what needs more of the values than their sum."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.he import decrypt
from lockleaf.server.platform.db.engine import Database
from tests.support.account_holders import problem
from tests.support.measurers import Measurer, measurer, register_key
from tests.support.metric_contexts import contexts

NUMBERS = [3.0, -4.5, 10.0, 0.25]
START = datetime(2024, 2, 28, 12, tzinfo=UTC)
TIMES = [START + timedelta(hours=30 * index) for index in range(len(NUMBERS))]


@pytest.fixture
async def someone(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http)


@pytest.fixture
async def large(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http, parameter_set="ckks-8192")


async def variance(of: Measurer, **fields: object) -> tuple[float, dict[str, object]]:
    found = await of.result("variance", **fields)
    total, squares = of.read(found["encrypted_result"]), of.read(found["encrypted_sum_squares"])
    assert found["divisor"] == found["count"]
    return decrypt.variance(total, squares, found["count"]), found


async def test_a_variance_comes_from_squares_that_the_client_uploads(someone: Measurer) -> None:
    await someone.sent(
        *(
            someone.value(number, at, encrypted_square=someone.keys.blob(number * number))
            for number, at in zip(NUMBERS, TIMES, strict=True)
        )
    )
    found, answer = await variance(someone)
    assert found == pytest.approx(statistics.pvariance(NUMBERS), abs=0.1)
    assert answer["squares"] == "uploaded"
    found, _ = await variance(someone, time_range={"start": TIMES[1].isoformat(), "end": TIMES[3].isoformat()})
    assert found == pytest.approx(statistics.pvariance(NUMBERS[1:3]), abs=0.1)


async def test_or_from_squares_that_the_server_multiplies_where_it_has_keys_for_that(large: Measurer) -> None:
    metrics = [large.value(number, at) for number, at in zip(NUMBERS, TIMES, strict=True)]
    await large.sent(*metrics)
    found, answer = await variance(large)
    assert found == pytest.approx(statistics.pvariance(NUMBERS), abs=1e-3)
    assert answer["squares"] == "multiplied"
    await large.ask("DELETE", f"/metrics/{metrics[0]['id']}")
    buckets = (await large.result("variance", bucket="day"))["buckets"]
    assert [each["count"] for each in buckets] == [1, 1, 1]
    squares = [large.read(each["encrypted_sum_squares"]) for each in buckets]
    assert squares == pytest.approx([number * number for number in NUMBERS[1:]], abs=1e-3)
    found, _ = await variance(large)
    assert found == pytest.approx(statistics.pvariance(NUMBERS[1:]), abs=1e-3)


async def test_without_a_square_of_every_value_there_is_no_variance(large: Measurer) -> None:
    await large.sent(large.value(1, TIMES[0]))
    await register_key(large.owner, contexts("ckks-8192").public, privacy_tier="analytics_sync")
    await large.sent(large.value(2, TIMES[1]))
    refused = problem(await large.aggregate("variance"), 409, "squares_required")
    assert (refused["count"], refused["with_squares"]) == (2, 1)
    assert (await variance(large, time_range={"end": TIMES[1].isoformat()}))[1]["count"] == 1


async def test_a_weighted_sum_has_a_weight_for_each_value_in_the_order_of_time(large: Measurer) -> None:
    metrics = [large.value(number, at) for number, at in zip(NUMBERS, TIMES, strict=True)]
    await large.sent(*reversed(metrics))
    weights = [1.0, -2.0, 0.5, 1000.0]
    expected = sum(number * weight for number, weight in zip(NUMBERS, weights, strict=True))
    assert await large.total("weighted_sum", weights=weights) == pytest.approx(expected, abs=1e-2)
    refused = problem(await large.aggregate("weighted_sum", weights=weights[1:]), 422, "weights_mismatch")
    assert refused["count"] == 4
    for wrong in ({"weights": [2.0**21]}, {"weights": []}, {"bucket": "day", "weights": weights}, {}):
        problem(await large.aggregate("weighted_sum", **wrong), 422, "invalid_request")
    problem(await large.aggregate("sum", weights=weights), 422, "invalid_request")


async def test_a_trend_is_the_line_through_the_values(large: Measurer) -> None:
    await large.sent(*(large.value(7 + 0.5 * 30 * index, at) for index, at in enumerate(TIMES)))
    found = await large.result("trend")
    assert large.read(found["encrypted_result"]) == pytest.approx(0.5 * 24, abs=1e-3)
    assert large.read(found["encrypted_average"]) == pytest.approx(7 + 0.5 * 45, abs=1e-3)
    assert datetime.fromisoformat(found["mean_time"]) == START + timedelta(hours=45)


async def test_there_is_no_trend_where_time_stands_still(large: Measurer) -> None:
    await large.sent(large.value(1, TIMES[0]), large.value(2, TIMES[0]))
    assert problem(await large.aggregate("trend"), 404, "no_metrics")["count"] == 2


async def test_what_a_parameter_set_cannot_do_is_refused_by_name(someone: Measurer) -> None:
    await someone.sent(someone.value(1, TIMES[0]))
    for operation, fields in (("weighted_sum", {"weights": [1.0]}), ("trend", {})):
        refused = problem(await someone.aggregate(operation, **fields), 422, "unsupported_operation")
        assert refused["operations"] == ["average", "sum", "variance"]
    problem(await someone.aggregate("median"), 422, "invalid_request")


async def test_more_than_comes_out_right_is_not_added_up(app: FastAPI, someone: Measurer) -> None:
    most = someone.keys.parameters.most_values
    await someone.sent(someone.value(1, TIMES[0]))
    async with app.state.parts[Database].transaction() as tx:  # as if so many had come before
        user_id = UUID(someone.owner.answer["id"])
        await tx.connection.execute("UPDATE metric_sums SET count = $2 WHERE user_id = $1", user_id, most)
    assert (await someone.result())["count"] == most
    await someone.sent(someone.value(1, TIMES[1]))
    assert problem(await someone.aggregate(), 422, "too_many_values") | {"count": most + 1, "most": most} == problem(
        await someone.aggregate("average"), 422, "too_many_values"
    )
