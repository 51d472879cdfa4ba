"""What clients agree on: parameter sets that everybody may know, and secret keys that only they can open."""

from __future__ import annotations

import asyncio
from typing import get_args

import httpx
import pytest
import tenseal

from lockleaf.he.codec import VERSIONS
from lockleaf.he.params import PARAMETER_SETS
from lockleaf.wire.analytics import ParameterSetName, SealVersionName
from lockleaf.wire.codec import MSGPACK, unpack
from lockleaf.wire.fields import decode_base64
from tests.support.account_holders import problem
from tests.support.measurers import SMALL, Measurer, measurer


@pytest.fixture
async def someone(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http)


def test_names_travel_as_they_are_known_to_those_who_compute() -> None:
    assert set(get_args(ParameterSetName)) == set(PARAMETER_SETS)
    assert get_args(SealVersionName) == VERSIONS


async def test_the_context_is_told_to_anybody_in_the_words_of_tenseal(http: httpx.AsyncClient) -> None:
    answer = await http.get("/encryption/context")
    told = answer.json()
    assert told["context_params"] == {
        "scheme": "CKKS",
        "poly_modulus_degree": 8192,
        "coeff_mod_bit_sizes": [60, 40, 40, 60],
        "scale": 1099511627776,
    }
    assert isinstance(told["context_params"]["scale"], int)
    context = tenseal.context_from(decode_base64(told["serialized_context"]))
    assert (context.is_public(), context.has_public_key(), context.has_secret_key()) == (True, False, False)
    assert context.global_scale == 2.0**40
    assert list(told["parameter_sets"]) == list(PARAMETER_SETS)
    for name, facts in told["parameter_sets"].items():
        known = PARAMETER_SETS[name]
        assert facts["poly_modulus_degree"] == known.degree
        assert tuple(facts["coeff_mod_bit_sizes"]) == known.coeff_mod_bit_sizes
        assert (facts["largest"], facts["most_values"], facts["slots"]) == (
            known.largest,
            known.most_values,
            known.slots,
        )
        assert set(facts["operations"]) == known.operations
        assert tenseal.context_from(decode_base64(facts["serialized_context"])).global_scale == known.scale


async def test_the_context_may_be_kept_and_asked_about_again(http: httpx.AsyncClient) -> None:
    answer = await http.get("/encryption/context")
    assert answer.headers.get_list("cache-control") == ["public, max-age=86400"]
    assert (await http.get("/health", follow_redirects=True)).headers.get_list("cache-control") == ["no-store"]
    again = {"If-None-Match": answer.headers["etag"]}
    kept = await http.get("/encryption/context", headers=again)
    assert (kept.status_code, kept.content, kept.headers["etag"]) == (304, b"", answer.headers["etag"])
    others = [
        await http.get("/encryption/context", headers={**again, "Accept": MSGPACK}),
        await http.get("/encryption/context", headers=again, params={"seal_version": "4.1"}),
    ]
    assert [other.status_code for other in others] == [200, 200]
    older, plain = others[1].json(), answer.json()
    assert older["context_params"] == plain["context_params"]
    assert older["serialized_context"] != plain["serialized_context"]
    problem(await http.get("/encryption/context", params={"seal_version": "3.0"}), 422, "invalid_request")


async def test_a_sealed_key_has_versions_of_which_each_follows_the_one_before(someone: Measurer) -> None:
    path = f"/keys/{SMALL}"
    problem(await someone.ask("GET", path), 404, "not_found")
    first, second = {"sealed_key": b"first", "base_version": 0}, {"sealed_key": b"second", "base_version": 1}
    for body, version in ((first, 1), (first, 1), (second, 2), (second, 2)):
        stored = await someone.ask("PUT", path, body)
        assert (stored.status_code, unpack(stored.content)["version"]) == (200, version)
        assert stored.headers["etag"] == f'"{version}"'
    for outdated in (first, {**second, "sealed_key": b"other"}, {**second, "base_version": 5}):
        assert problem(await someone.ask("PUT", path, outdated), 409, "version_conflict")["current_version"] == 2
    found = unpack((await someone.ask("GET", path)).content)
    assert (found["parameter_set"], found["sealed_key"], found["version"]) == (SMALL, b"second", 2)
    problem(await someone.ask("GET", "/keys/ckks-8192"), 404, "not_found")
    problem(await someone.ask("GET", "/keys/other"), 422, "invalid_request")


async def test_of_devices_that_make_a_key_at_once_one_does(someone: Measurer) -> None:
    bodies = [{"sealed_key": bytes([number]) * 64, "base_version": 0} for number in range(4)]
    answers = await asyncio.gather(*(someone.ask("PUT", f"/keys/{SMALL}", body) for body in bodies))
    codes = [answer.status_code for answer in answers]
    assert sorted(codes) == [200, 409, 409, 409]
    found = unpack((await someone.ask("GET", f"/keys/{SMALL}")).content)
    assert found["sealed_key"] == bodies[codes.index(200)]["sealed_key"]


async def test_a_sealed_key_is_its_accounts_own_and_of_a_size(http: httpx.AsyncClient, someone: Measurer) -> None:
    body = {"sealed_key": bytes(512 * 1024), "base_version": 0}
    assert (await someone.ask("PUT", f"/keys/{SMALL}", body)).status_code == 200
    problem(await (await measurer(http)).ask("GET", f"/keys/{SMALL}"), 404, "not_found")
    body = {"sealed_key": bytes(512 * 1024 + 1), "base_version": 1}
    problem(await someone.ask("PUT", f"/keys/{SMALL}", body), 422, "invalid_request")
