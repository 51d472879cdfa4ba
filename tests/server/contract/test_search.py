"""``/search`` as its table has it, in either custody."""

from __future__ import annotations

from typing import Any

import pytest

from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import problem
from tests.support.accounts import Owner, register
from tests.support.contract import Contract, shows
from tests.support.diaries import sealed_body, thin

SEA, RAIN = (encode_base64(bytes([number]) * 8) for number in (1, 2))


@pytest.fixture
async def ada(contract: Contract) -> Owner:
    """Somebody with an end-to-end encrypted account."""
    return await register(contract.http)


@pytest.fixture
async def uma(contract: Contract) -> Owner:
    """Somebody whose server opens what they wrote, while they ask it to."""
    return await thin(contract.http)


async def asked(owner: Owner, **body: Any) -> dict[str, Any]:
    answer = await owner.request("POST", "/search", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@shows("POST /search 200", "GET /search/stats 200")
async def test_words_are_found_where_they_stand(uma: Owner) -> None:
    made = await uma.request("POST", "/entries", json={"title": "By the sea", "content": "Waves, and a long walk."})
    await uma.request("POST", "/entries", json={"content": "Rain all day."})
    found = await asked(uma, query='"long walks" sea -rain the')
    [hit] = found["items"]
    assert hit["entry"] == {**made.json(), "deleted_at": None}
    assert hit["highlights"] == [
        {"field": "title", "text": "By the sea", "marks": [[7, 10]]},
        {"field": "body", "text": "Waves, and a long walk.", "marks": [[13, 22]]},
    ]
    assert (found["total"], found["next_cursor"], found["ignored"]) == (1, None, ["the"])
    assert found["index"] == {"complete": True}
    assert found["took_ms"] > 0
    stats = (await uma.request("GET", "/search/stats")).json()
    assert (stats["enabled"], stats["documents"], stats["pending"], stats["language"]) == (True, 2, 0, "english")


@shows("POST /search 200", "PUT /search/index 200")
async def test_tokens_are_found_where_they_were_brought(ada: Owner) -> None:
    told = (await ada.request("PUT", "/search/index", json={"enabled": True})).json()
    assert told["enabled"] is True
    assert "guess" in told["reveals"]
    both, one = sealed_body(tokens=[SEA, RAIN]), sealed_body(tokens=[SEA])
    for body in (both, one):
        assert (await ada.request("POST", "/entries", json=body)).status_code == 201
    found = await asked(ada, tokens={"any": [SEA, RAIN]})
    assert [hit["entry"]["id"] for hit in found["items"]] == [both["id"], one["id"]]
    assert found["items"][0]["entry"]["payload"] == both["payload"]
    assert found["items"][0]["score"] > found["items"][1]["score"]
    narrowed = await asked(ada, tokens={"all": [SEA, {"none": [RAIN]}]})
    assert [hit["entry"]["id"] for hit in narrowed["items"]] == [one["id"]]


@shows("POST /search 422 query_too_long")
async def test_a_query_of_ten_thousand_words_is_refused(ada: Owner, uma: Owner) -> None:
    await ada.request("PUT", "/search/index", json={"enabled": True})
    refused = await uma.request("POST", "/search", json={"query": "word " * 10_000})
    assert "word" not in problem(refused, 422, "query_too_long").values()
    problem(await ada.request("POST", "/search", json={"tokens": {"any": [SEA] * 1000}}), 422, "query_too_long")


@shows("POST /search 409 search_off", "POST /search/index 409 search_off", "PUT /search/index 200")
async def test_without_an_index_nothing_is_searched_or_built(ada: Owner, uma: Owner) -> None:
    told = (await uma.request("PUT", "/search/index", json={"enabled": False})).json()
    assert (told["enabled"], told["documents"]) == (False, 0)
    problem(await uma.request("POST", "/search", json={"query": "sea"}), 409, "search_off")
    problem(await ada.request("POST", "/search", json={"tokens": {"any": [SEA]}}), 409, "search_off")
    for owner in (ada, uma):
        problem(await owner.request("POST", "/search/index", json={}), 409, "search_off")


@shows("POST /search/index 200")
async def test_an_index_is_built_and_its_job_is_one(ada: Owner, uma: Owner) -> None:
    body = sealed_body()
    await ada.request("POST", "/entries", json=body)
    await ada.request("PUT", "/search/index", json={"enabled": True})
    told = (await ada.request("POST", "/search/index", json={})).json()
    assert told["wanted"] == [{"record_id": body["id"], "revision": 1}]
    assert (told["job"]["state"], told["job"]["progress"]) == ("running", {"done": 0, "total": 1})
    documents = [{"record_id": body["id"], "revision": 1, "tokens": [SEA]}]
    told = (await ada.request("POST", "/search/index", json={"documents": documents})).json()
    assert (told["stored"], told["wanted"], told["index"]["complete"]) == (1, [], True)
    job = (await ada.request("GET", f"/jobs/{told['job']['id']}")).json()
    assert (job["kind"], job["state"], job["progress"]) == ("search.index", "succeeded", {"done": 1, "total": 1})
    # A thin client sends no body at all.
    assert (await uma.request("POST", "/search/index")).json()["job"]["state"] == "succeeded"
