"""Clients with SEAL alone: what they encrypt is counted as from others, and they are answered what their SEAL reads."""

from __future__ import annotations

import httpx
import pytest

from lockleaf.he import codec, messages, seal
from tests.support.account_holders import problem
from tests.support.accounts import register
from tests.support.measurers import Measurer, measurer, register_key
from tests.support.metrics import holder, raw_public_key, raw_secret_key, replaced, sealed_object

AT = "2024-05-05T05:05:05Z"
LAYOUT = "month-1:words,mood"
SETS = ("ckks-4096", "ckks-8192")


def raw(someone: Measurer, *numbers: float) -> bytes:
    """Numbers as SEAL 4.1 encrypts and saves them."""
    return codec.write_raw(someone.keys.ciphertext(*numbers), "4.1")


def answered(someone: Measurer, data: bytes) -> list[float]:
    """The numbers in a raw answer, which SEAL 4.1 would load."""
    assert seal.is_object(data)
    assert seal.version_of(data) == "4.1"
    parameters = someone.keys.parameters
    return someone.slots(messages.write({1: messages.write_varint(parameters.slots), 2: data, 3: parameters.scale}))


@pytest.fixture(params=SETS)
async def someone(request: pytest.FixtureRequest, http: httpx.AsyncClient) -> Measurer:
    """An account that registered SEAL's own public key."""
    return await measurer(http, parameter_set=request.param, public=raw_public_key(request.param))


async def test_who_registered_raw_uploads_raw_and_is_answered_raw(someone: Measurer) -> None:
    values = (500.0, -12.25, 731.5)
    await someone.sent(*({**someone.value(0, AT), "encrypted_value": raw(someone, each)} for each in values))

    total, mean = await someone.result("sum"), await someone.result("average")
    assert (total["count"], total["divisor"], mean["divisor"]) == (3, 1, 1)
    assert answered(someone, total["encrypted_result"])[0] == pytest.approx(sum(values), abs=0.01)
    assert answered(someone, mean["encrypted_result"])[0] == pytest.approx(sum(values) / 3, abs=0.01)
    [month] = (await someone.result("sum", bucket="month"))["buckets"]
    assert answered(someone, month["encrypted_result"])[0] == pytest.approx(sum(values), abs=0.01)
    newer = (await someone.result("sum", seal_version="4.3"))["encrypted_result"]
    assert seal.is_object(newer)
    assert seal.version_of(newer) == "4.3"


async def test_squares_and_packed_months_come_and_go_raw_too(someone: Measurer) -> None:
    square = {"encrypted_value": raw(someone, 3), "encrypted_square": raw(someone, 9)}
    await someone.sent({**someone.value(0, AT), **square})
    variance = await someone.result("variance")
    assert variance["squares"] == "uploaded"
    assert answered(someone, variance["encrypted_sum_squares"])[0] == pytest.approx(9, abs=0.01)

    for numbers in ((4.0, 5.0), (6.0, -7.0)):
        delta = someone.delta(LAYOUT, [0], AT)
        await someone.sent({**delta, "encrypted_value": raw(someone, *numbers)})
    packed = await someone.result("sum", None, layout=LAYOUT)
    assert answered(someone, packed["encrypted_result"])[:2] == pytest.approx([10, -2], abs=0.01)


async def test_what_a_ciphertext_came_in_decides_nothing_about_the_answer(http: httpx.AsyncClient) -> None:
    """The registered key does: an account may have uploaded through another program before."""
    with_tenseal = await measurer(http)
    with_seal = await measurer(http, public=raw_public_key("ckks-4096"))
    for someone in (with_tenseal, with_seal):
        await someone.sent(someone.value(2, AT), {**someone.value(0, AT), "encrypted_value": raw(someone, 3)})

    assert await with_tenseal.total() == pytest.approx(5, abs=0.01)
    answer = await with_seal.result()
    assert answered(with_seal, answer["encrypted_result"])[0] == pytest.approx(5, abs=0.01)


async def test_the_key_is_asked_for_at_the_first_metric(http: httpx.AsyncClient) -> None:
    owner = await register(http, privacy_tier="local_only")
    body = {"privacy_tier": "analytics_sync", "consent_timestamp": AT, "he_public_key": None}
    assert (await owner.request("PUT", "/users/me/privacy", json=body)).status_code == 200
    someone = Measurer(owner, holder("ckks-4096"))
    metric = {**someone.value(0, AT), "encrypted_value": raw(someone, 8)}

    assert problem(await someone.send(metric), 409, "he_key_required")["parameter_set"] == "ckks-4096"
    await register_key(owner, raw_public_key("ckks-4096"), privacy_tier="analytics_sync")
    await someone.sent(metric)
    assert answered(someone, (await someone.result())["encrypted_result"])[0] == pytest.approx(8, abs=0.01)


async def test_what_is_no_ciphertext_is_refused_by_name(http: httpx.AsyncClient) -> None:
    someone = await measurer(http)
    good = someone.keys.ciphertext(1.0)
    expected = [
        (sealed_object(replaced(good, "degree", 8192)), "degree"),
        (sealed_object(replaced(good, "parms_id", bytes(32))), "level"),
        (sealed_object(replaced(good, "size", 3)), "polynomials"),
        (sealed_object(replaced(good, "scale", 2.0**40)), "scale"),
        (sealed_object(replaced(good, "count", 4096)), "seeded"),
        (sealed_object(replaced(good, "first_coefficient", 2**63)), "coefficients"),
        (codec.write_raw(good)[:-1], "truncated"),
        (codec.write_raw(good) + b"\0", "trailing"),
        (raw_secret_key("ckks-4096"), "degree"),
        (raw_public_key("ckks-4096"), "too_large"),
    ]
    for blob, reason in expected:
        sent = {**someone.value(0, AT), "encrypted_value": blob}
        refused = problem(await someone.send(sent), 422, "invalid_ciphertext")
        assert (refused["item"], refused["field"], refused["reason"]) == (0, "encrypted_value", reason)
