"""Search, wherever it is answered: on a device, by a server that may read, by one that finds what it cannot read."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from lockleaf.client import Client, Progress
from lockleaf.client.errors import (
    InvalidAnswer,
    InvalidSearch,
    QueryTooLong,
    SealBroken,
    SearchLanguageDiffers,
    SearchOff,
    TierRequired,
)
from lockleaf.client.records.entries import EntryDraft
from lockleaf.client.search.results import Found
from tests.support.networks import AlteringNetwork, Network
from tests.support.people import PASSWORD, Person, UcePerson
from tests.support.process import RunningServer

WORDS = ("sea", "seas", "rain", "raining", "mill", "walk", "walked", "church", "the", "of", "and", "été", "雨", "🍕")
QUERIES = (
    "sea",
    "walking rain",
    "seas OR church",
    "mill -rain",
    '"rain mill"',
    '"sea of walk" OR church',
    '-"walk mill" sea',
    "(mill OR sea) -(church rain)",
    "雨",
    "🍕 ÉTÉ",
    "mood:Calm",
    'tag:"LONG days" sea',
    "from:2020-02 to:2020-03-15",
    "walk from:2020-02-10 mood:low",
    "-sea mood:calm",
    "source:cli sea",
    "nowhere",
    "the of",
)


@pytest.fixture(params=[Person, UcePerson], ids=["e2e", "uce"])
async def ada(request: pytest.FixtureRequest, tmp_path: Path, server: RunningServer) -> AsyncIterator[Person]:
    async with AsyncExitStack() as stack:
        yield request.param(tmp_path / "home", server.url, stack)


@pytest.fixture
async def eve(tmp_path: Path, server: RunningServer) -> AsyncIterator[Person]:
    """Somebody whose server never reads."""
    async with AsyncExitStack() as stack:
        yield Person(tmp_path / "home", server.url, stack)


def texts(count: int) -> list[EntryDraft]:
    chance = random.Random(7)

    def some(most: int) -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(1, most)))

    return [
        EntryDraft(
            body=some(12),
            title=some(3) if chance.random() < 0.4 else None,
            date=f"2020-0{chance.randint(1, 4)}-{chance.randint(1, 28):02d}",
            mood=chance.choice((None, "calm", "LOW")),
            tags=("long days",) if chance.random() < 0.5 else (),
            external_id=str(at),
            provider="test",
        )
        for at in range(count)
    ]


def ids(found: Found) -> list[str]:
    return [hit.entry.id for hit in found.hits]


async def agree(here: Client, asking: Client) -> None:
    """Require the same hits of a device's index and of the server, asked by the same device or by another."""
    for query in QUERIES:
        local = await here.journal.search(query)
        found = await asking.search.find(query)
        assert sorted(ids(found)) == sorted(ids(local)), query
        assert (found.total, found.exact, found.complete) == (local.total, True, True), query
        assert found.ignored == local.ignored
        pieces = {hit.entry.id: hit.highlights for hit in local.hits}
        assert {hit.entry.id: hit.highlights for hit in found.hits} == pieces, query


async def test_device_and_server_find_the_same_whatever_becomes_of_the_entries(ada: Person) -> None:
    laptop, phone, tablet = [await ada.device(name) for name in ("laptop", "phone", "tablet")]
    await ada.register(laptop)
    await laptop.journal.import_entries(texts(40))
    await laptop.sync()
    heard: list[Progress] = []
    assert (await laptop.search.switch_on(heard.append)).documents == 40
    await ada.login(phone)
    await ada.login(tablet)  # which never fetches anything
    await agree(laptop, tablet)

    await phone.sync()
    entries = await laptop.journal.list()
    await laptop.journal.edit(entries[0].id, body="rain mill plague", title=None)
    await laptop.journal.edit(entries[1].id, mood="calm", tags=["Long Days", "more"])
    await laptop.journal.delete(entries[2].id)
    await laptop.journal.delete(entries[3].id)
    await laptop.sync()
    await laptop.journal.restore(entries[3].id)
    await laptop.sync()
    # Every change brought its own digests: nothing had to be indexed afterwards.
    index = await laptop.search.status()
    assert (index.documents, index.pending) == (39, 0)
    await agree(laptop, tablet)

    # Two devices change the same line of an entry: the one that comes second is not what the entry says.
    await laptop.journal.edit(entries[4].id, body="sea sea sea")
    await phone.journal.edit(entries[4].id, body="church church church")
    await phone.journal.write(body="walked in the rain, of 🍕")
    await laptop.sync()
    report = await phone.sync()
    assert report.conflicts == 1
    await laptop.sync()
    await agree(phone, tablet)
    (conflict,) = await phone.journal.conflicts()
    await phone.journal.resolve(conflict.id, "local")
    await phone.sync()
    await laptop.sync()
    await agree(laptop, phone)


async def test_hits_of_a_server_that_reads_come_in_the_order_of_a_device(tmp_path: Path, server: RunningServer) -> None:
    async with AsyncExitStack() as stack:
        ada = UcePerson(tmp_path / "home", server.url, stack)
        laptop = await ada.device("laptop")
        await ada.register(laptop)
        await laptop.journal.import_entries(texts(40))
        await laptop.sync()
        for query in QUERIES:
            local, found = await laptop.journal.search(query), await laptop.search.find(query)
            assert ids(found) == ids(local), query
            assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in local.hits], abs=1e-9)
            few = await laptop.search.find(query, limit=3)
            assert ids(few) == ids(local)[:3]


async def test_a_query_that_is_too_long_is_refused_before_anything_is_sent(ada: Person) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    await laptop.search.switch_on()
    sent = len([path for _, path, _ in network.sent if path.endswith("/search")])
    for query in ("plague " * 10_000, "plague " * 65, "(" * 20 + "plague"):
        with pytest.raises((InvalidSearch, QueryTooLong)):
            await laptop.search.find(query)
    assert len([path for _, path, _ in network.sent if path.endswith("/search")]) == sent
    assert ids(await laptop.search.find("  ((")) == []
    assert ids(await laptop.search.find("mood:" + "x" * 300)) == []


async def test_no_index_is_kept_of_an_account_that_has_not_switched_it_on(eve: Person) -> None:
    network = Network()
    laptop = await eve.device("laptop", network=network)
    await eve.register(laptop)
    await laptop.journal.write(body="sea")
    await laptop.sync()
    assert not (await laptop.search.status()).enabled
    with pytest.raises(SearchOff):
        await laptop.search.find("sea")
    with pytest.raises(SearchOff):
        await laptop.search.rebuild()
    (pushed,) = [body for _, path, body in network.sent if path.endswith("/sync/push")]
    assert b"tokens" not in pushed
    # What filters alone decide needs no index.
    assert len((await laptop.search.find("source:cli")).hits) == 1


async def test_switched_off_the_index_is_gone_and_switched_on_again_it_has_everything(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    await laptop.journal.import_entries(texts(12))
    await laptop.sync()
    await laptop.search.switch_on()
    index = await laptop.search.switch_off()
    assert (index.enabled, index.documents, index.tokens) == (False, 0, 0)
    with pytest.raises(SearchOff):
        await phone.search.find("sea")
    await laptop.journal.write(body="quince")
    await laptop.sync()
    # The other device has not fetched the entries yet: what it cannot bring waits for its next sync.
    await phone.search.switch_on()
    await phone.sync()
    index = await phone.search.status()
    assert (index.documents, index.pending) == (13, 0)
    assert len((await phone.search.find("quince")).hits) == 1


async def test_an_index_that_was_half_built_is_gone_on_with(eve: Person) -> None:
    laptop, phone = await eve.device("laptop"), await eve.device("phone")
    await eve.register(laptop)
    await laptop.journal.import_entries(texts(5))
    await laptop.sync()
    await eve.login(phone)
    await phone.sync()
    await laptop.journal.import_entries(texts(9))
    await laptop.sync()
    edited = (await phone.journal.list())[0]
    await phone.journal.edit(edited.id, body="not sent yet")
    # This device has five of nine, one of them as the server has it no more once it is sent.
    index = await phone.search.switch_on()
    assert (index.documents, index.pending, index.complete) == (5, 4, False)
    assert not (await phone.search.find("sea")).complete
    heard: list[Progress] = []
    await phone.sync(heard.append)
    assert Progress("index", 9, 9) in heard
    assert (await laptop.search.find("sea")).complete
    assert ids(await laptop.search.find('"not sent yet"')) == [edited.id]


async def test_no_word_of_a_server_makes_a_device_give_away_digests(eve: Person) -> None:
    network = Network()
    laptop, phone = await eve.device("laptop"), await eve.device("phone", network=network)
    await eve.register(laptop)
    await eve.login(phone)
    await laptop.search.switch_on()
    await phone.journal.write(body="quince")
    await phone.sync()
    assert not await phone.search.keeps_up()
    assert network.count("POST", "/search/index") == 0
    assert all(b"tokens" not in body for _, path, body in network.sent if path.endswith("/sync/push"))
    # The device of which its user wanted it brings what the other wrote.
    await laptop.sync()
    assert len((await laptop.search.find("quince")).hits) == 1
    await phone.search.switch_on()
    await phone.journal.write(body="another quince")
    await phone.sync()
    assert any(b"tokens" in body for _, path, body in network.sent if path.endswith("/sync/push"))
    assert len((await laptop.search.find("quince")).hits) == 2


async def test_a_device_searches_without_a_server(eve: Person) -> None:
    network = Network()
    laptop = await eve.device("laptop", network=network)
    await eve.register(laptop)
    await laptop.journal.write(body="walked to the sea")
    before = len(network.sent)
    assert len((await laptop.journal.search("walking sea")).hits) == 1
    assert len(network.sent) == before
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    with pytest.raises(TierRequired):
        await laptop.search.find("sea")
    assert len((await laptop.journal.search("walking sea")).hits) == 1


async def test_a_server_that_lies_about_what_it_found_is_not_believed(eve: Person) -> None:
    network = AlteringNetwork(lambda path, answer: None)
    laptop = await eve.device("laptop", network=network)
    await eve.register(laptop)
    await laptop.journal.write(body="quince and rain")
    await laptop.journal.write(body="quince or snow")
    await laptop.sync()
    await laptop.search.switch_on()
    found = ids(await laptop.search.find("quince"))
    kept: list[dict[str, Any]] = []

    def doubled(path: str, answer: dict[str, Any]) -> None:
        if path.endswith("/search"):
            kept[:] = answer["items"]
            answer["items"] += kept

    def others(path: str, answer: dict[str, Any]) -> None:
        if path.endswith("/search"):
            answer["items"] = kept

    def damaged(path: str, answer: dict[str, Any]) -> None:
        for item in answer.get("items", ()):
            item["entry"]["payload"] = item["entry"]["payload"][:-8] + "AAAAAAA="

    def unheard_of(path: str, answer: dict[str, Any]) -> None:
        if path.endswith("/search/stats"):
            answer["language"] = "none that there is"

    network.alter = doubled
    assert len(found) == 2
    assert ids(await laptop.search.find("quince")) == found
    network.alter = others
    assert [hit.entry.body for hit in (await laptop.search.find("rain")).hits] == ["quince and rain"]
    for lie, error in ((damaged, SealBroken), (unheard_of, InvalidAnswer)):
        network.alter = lie
        with pytest.raises(error):
            await laptop.search.find("quince")


async def test_the_language_of_words_is_its_users_choice_on_every_device_whatever_a_server_says(eve: Person) -> None:
    network = AlteringNetwork(lambda path, answer: None)
    laptop = await eve.device("laptop", network=network)
    await eve.register(laptop)
    await laptop.journal.write(body="Wir sahen viele Häuser")
    await laptop.sync()
    phone = await eve.device("phone", network=network)
    await eve.login(phone)

    def says_german(path: str, answer: dict[str, Any]) -> None:
        if path.endswith("/auth/me"):
            answer["locale"] = "de"

    network.alter = says_german
    for device in (laptop, phone):
        await device.sync()
        assert (await device.journal.search("Haus")).total == 0
    network.alter = lambda path, answer: None
    await laptop.account.update(locale="de-CH")
    await laptop.sync()
    await phone.sync()
    for device in (laptop, phone):
        assert (await device.journal.search("Haus")).total == 1


async def test_no_digest_of_a_word_leaves_in_a_language_that_the_server_chose(eve: Person) -> None:
    network = AlteringNetwork(lambda path, answer: None)
    laptop = await eve.device("laptop", network=network)
    await eve.register(laptop)
    await laptop.journal.write(body="quince")
    await laptop.sync()
    await laptop.search.switch_on()

    def says_german(path: str, answer: dict[str, Any]) -> None:
        if path.endswith("/search/stats"):
            answer["language"] = "german"
        if path.endswith("/search/index") and "index" in answer:
            answer["index"]["language"] = "german"

    network.alter = says_german
    for asked in (laptop.search.find("quince"), laptop.search.rebuild()):
        with pytest.raises(SearchLanguageDiffers):
            await asked
    sent = len(network.sent)
    await laptop.journal.write(body="walking")
    await laptop.sync()
    assert not any(path.endswith(("/search", "/search/index")) for _, path, _ in network.sent[sent:])
    network.alter = lambda path, answer: None
    assert (await laptop.search.find("walked")).total == 0
    await laptop.search.rebuild()
    assert (await laptop.search.find("walked")).total == 1
