"""``/encryption`` as its table has it, in the JSON of a client with nothing but TenSEAL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from lockleaf.server.platform.db.engine import Database
from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.account_holders import problem
from tests.support.accounts import change, register
from tests.support.contract import Contract, shows
from tests.support.measurers import SMALL, Measurer, measurer

AT = "2024-05-05T05:05:05Z"
LAYOUT = "month-1:words"


class Simple(Measurer):
    """The same, in JSON."""

    async def json(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send a request, and return the answer."""
        return await self.owner.request(method, f"/encryption{path}", **({"json": body} if body else {}), **options)

    async def upload(self, *metrics: dict[str, Any]) -> Any:
        """Upload metrics."""
        return await self.json("POST", "/metrics", {"metrics": [textual(each) for each in metrics]})

    async def question(self, operation: str = "sum", **fields: Any) -> Any:
        """Ask for a result."""
        body = {"metric_type": "words", "operation": operation, "parameter_set": self.parameter_set, **fields}
        return await self.json("POST", "/aggregate", body)


def textual(metric: dict[str, Any]) -> dict[str, Any]:
    return {name: encode_base64(value) if isinstance(value, bytes) else value for name, value in metric.items()}


async def simple(contract: Contract, **options: Any) -> Simple:
    found = await measurer(contract.http, **options)
    return Simple(found.owner, found.keys)


@shows("GET /encryption/context 200", "GET /encryption/context 304")
async def test_the_parameter_sets_are_told_to_anybody(contract: Contract) -> None:
    answer = await contract.http.get("/encryption/context")
    assert answer.json().keys() == {"context_params", "serialized_context", "parameter_sets"}
    again = await contract.http.get("/encryption/context", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@shows(
    "PUT /encryption/keys/{parameter_set} 200",
    "PUT /encryption/keys/{parameter_set} 409 version_conflict",
    "GET /encryption/keys/{parameter_set} 200",
    "GET /encryption/keys/{parameter_set} 404 not_found",
)
async def test_a_sealed_key_is_kept_in_versions(contract: Contract) -> None:
    someone = await simple(contract)
    path, body = f"/keys/{SMALL}", {"sealed_key": "c2VhbGVk", "base_version": 0}
    problem(await someone.json("GET", path), 404, "not_found")
    stored = await someone.json("PUT", path, body)
    assert (stored.json()["version"], stored.headers["etag"]) == (1, '"1"')
    other = await someone.json("PUT", path, {**body, "sealed_key": "b3RoZXI="})
    assert problem(other, 409, "version_conflict")["current_version"] == 1
    assert (await someone.json("GET", path)).json()["sealed_key"] == "c2VhbGVk"


@shows(
    "POST /encryption/metrics 201",
    "POST /encryption/metrics 409 he_key_required",
    "POST /encryption/metrics 409 metric_id_taken",
    "POST /encryption/metrics 422 invalid_ciphertext",
    "GET /encryption/metrics 200",
    "DELETE /encryption/metrics/{metric_id} 204",
    "DELETE /encryption/metrics/{metric_id} 404 not_found",
)
async def test_metrics_are_uploaded_listed_and_deleted(contract: Contract) -> None:
    someone = await simple(contract)
    metric = someone.value(12.5, AT)
    stored = await someone.upload(metric, someone.value(1, AT))
    assert stored.status_code == 201
    assert stored.json().keys() == {"success", "message", "details"}
    assert stored.json()["details"]["count"] == 2
    problem(await someone.upload({**metric, "timestamp": "2024-01-01T00:00:00Z"}), 409, "metric_id_taken")
    refused = problem(
        await someone.upload({**someone.value(1, AT), "encrypted_value": b"x"}), 422, "invalid_ciphertext"
    )
    assert (refused["item"], refused["field"], refused["reason"]) == (0, "encrypted_value", "truncated")
    keyless = Simple(await register(contract.http), someone.keys)
    problem(await keyless.upload(metric), 409, "he_key_required")
    listed = (await someone.json("GET", "/metrics", params={"limit": 1})).json()
    assert listed["items"][0].keys() == {"id", "metric_type", "parameter_set", "timestamp", "size"}
    rest = (await someone.json("GET", "/metrics", params={"cursor": listed["next_cursor"]})).json()
    assert metric["id"] in {listed["items"][0]["id"], rest["items"][0]["id"]}
    assert (await someone.json("DELETE", f"/metrics/{metric['id']}")).status_code == 204
    problem(await someone.json("DELETE", f"/metrics/{metric['id']}"), 404, "not_found")


@shows(
    "POST /encryption/metrics 409 change_not_accepted",
    "POST /encryption/metrics 409 already_counted",
    "POST /encryption/metrics 422 too_many_values",
)
async def test_deltas_are_bound_to_the_changes_that_caused_them(contract: Contract) -> None:
    someone = await simple(contract, privacy_tier="full_sync")
    entry = change()
    await someone.owner.results(entry)
    cause = {"record_id": entry["record_id"], "revision": 1}
    unknown = {"record_id": entry["record_id"], "revision": 2}
    refused = await someone.upload(someone.delta(LAYOUT, [1.0], AT, change=unknown))
    assert problem(refused, 409, "change_not_accepted")["changes"] == [{"item": 0, **unknown}]
    assert (await someone.upload(someone.delta(LAYOUT, [1.0], AT, change=cause))).status_code == 201
    refused = await someone.upload(someone.delta(LAYOUT, [1.0], AT, change=[cause]))
    assert problem(refused, 409, "already_counted")["changes"] == [{"item": 0, **cause}]
    async with contract.app.state.parts[Database].transaction() as tx:  # as if so many had come before
        user_id, most = UUID(someone.owner.answer["id"]), someone.keys.parameters.most_additions
        await tx.connection.execute("UPDATE metric_packs SET additions = $2 WHERE user_id = $1", user_id, most)
    problem(await someone.upload(someone.delta(LAYOUT, [1.0], AT)), 422, "too_many_values")


@shows(
    "POST /encryption/aggregate 200",
    "POST /encryption/aggregate 404 no_metrics",
    "POST /encryption/aggregate 409 squares_required",
    "POST /encryption/aggregate 422 unsupported_operation",
    "POST /encryption/aggregate 422 too_many_values",
)
async def test_results_are_ciphertexts_with_a_count_and_a_divisor(contract: Contract) -> None:
    someone = await simple(contract)
    problem(await someone.question(), 404, "no_metrics")
    await someone.upload(someone.value(2, AT), someone.value(4, "2024-07-01T00:00:00Z"))
    for operation, expected in (("sum", 6), ("average", 3)):
        answer = (await someone.question(operation)).json()
        assert (answer["metric_type"], answer["operation"], answer["count"], answer["divisor"]) == (
            "words",
            operation,
            2,
            1,
        )
        assert someone.read(decode_base64(answer["encrypted_result"])) == pytest.approx(expected, abs=0.01)
    months = (await someone.question(bucket="month")).json()["buckets"]
    assert [each["start"] for each in months] == ["2024-05-01T00:00:00Z", "2024-07-01T00:00:00Z"]
    problem(await someone.question("variance"), 409, "squares_required")
    problem(await someone.question("trend"), 422, "unsupported_operation")
    async with contract.app.state.parts[Database].transaction() as tx:  # as if so many had come before
        user_id = UUID(someone.owner.answer["id"])
        await tx.connection.execute("UPDATE metric_sums SET count = 99999 WHERE user_id = $1", user_id)
    problem(await someone.question(), 422, "too_many_values")


@shows("POST /encryption/aggregate 422 weights_mismatch", "POST /encryption/aggregate 200")
async def test_a_weighted_sum_has_a_weight_for_each_value(contract: Contract) -> None:
    someone = await simple(contract, parameter_set="ckks-8192")
    await someone.upload(someone.value(2, AT), someone.value(4, "2024-07-01T00:00:00Z"))
    answer = (await someone.question("weighted_sum", weights=[10, 0.5])).json()
    assert someone.read(decode_base64(answer["encrypted_result"])) == pytest.approx(22, abs=0.01)
    assert problem(await someone.question("weighted_sum", weights=[1]), 422, "weights_mismatch")["count"] == 2
    variance = (await someone.question("variance")).json()
    assert someone.read(decode_base64(variance["encrypted_sum_squares"])) == pytest.approx(20, abs=0.01)
