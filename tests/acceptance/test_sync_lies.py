"""A server that lies about the journal, clumsily or with every hash made to fit: it is caught."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from lockleaf.client.errors import HistoryForked, IntegrityError, SealBroken
from lockleaf.crypto import history
from lockleaf.wire import codec
from tests.support.journal_devices import JournalDevice, TestAccount, new_account
from tests.support.networks import Network
from tests.support.process import RunningServer
from tests.support.scripted_server import OURS

Changes = list[dict[str, Any]]
Lie = Callable[[Changes], Changes]


class Liar(Network):
    """Between a device and the server: tells of the feed what ``lie`` makes of it.

    ``fitting``: hashes are computed again, as a server would that wants to get away with it. ``hides``: ends of paths
    whose answers are emptied.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lie: Lie | None = None
        self.fitting = False
        self.hides: tuple[str, ...] = ()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        path = request.url.path
        if path.endswith(self.hides) and self.hides and request.method == "GET":
            await response.aclose()
            return _answer(codec.JSON, b'{"items": []}')
        if self.lie is None or not path.endswith("/sync/changes") or response.status_code != 200:
            return response
        told = codec.unpack(await response.aread())
        await response.aclose()
        told["changes"] = self.lie(told["changes"])
        if self.fitting:
            _make_fit(told)
        return _answer(codec.MSGPACK, codec.pack(told))


def _answer(media_type: str, content: bytes) -> httpx.Response:
    return httpx.Response(200, content=content, headers={"content-type": media_type, **OURS})


def _make_fit(told: dict[str, Any]) -> None:
    """Number the changes of a whole feed, link their revisions, and compute the head again."""
    last: dict[tuple[str, str], tuple[int, bytes]] = {}
    head = history.epoch_head(told["epoch"], 0, history.ZERO)
    for seq, change in enumerate(told["changes"], 1):
        key = (change["collection"], change["record_id"])
        revision, parent = last.get(key, (0, history.ZERO))
        change |= {"seq": seq, "revision": revision + 1, "parent": parent}
        if change["superseded"]:
            described, digest = change["meta"], change["payload_hash"]
        else:
            described = history.meta(change["labels"], change.get("source"), change.get("occurred_at"))
            digest = history.payload_hash(change["payload"])
        last[key] = (revision + 1, digest)
        head = history.next_head(
            head, history.leaf(seq, *key, revision + 1, parent, described, digest, change["deleted"])
        )
    told |= {"seq": len(told["changes"]), "head": head, "has_more": False}


@pytest.fixture
async def account(server: RunningServer) -> TestAccount:
    return await new_account(server.url)


@pytest.fixture
async def one(account: TestAccount, tmp_path: Path) -> AsyncIterator[JournalDevice]:
    async with account.device(tmp_path / "one", share_dates=True) as device:
        yield device


@pytest.fixture
def liar() -> Liar:
    return Liar()


@pytest.fixture
async def two(account: TestAccount, tmp_path: Path, liar: Liar) -> AsyncIterator[JournalDevice]:
    async with account.device(tmp_path / "two", http_transport=liar, share_dates=True) as device:
        yield device


@pytest.fixture
async def journal(one: JournalDevice) -> list[str]:
    """Four changes in a known order: two entries, an edit of the first, and a third entry. Returns the ids."""
    ids = [f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123"]
    for number, entry_id in enumerate(ids):
        if number == 2:
            await one.sync()
            await one.journal.edit(ids[0], body="edited")
        day = f"2020-01-0{number + 1}"
        await one.journal.write(entry_id=entry_id, body=f"entry {number}", mood="calm", date=day)
    await one.sync()
    return ids


def set_last(**fields: Any) -> Lie:
    return lambda changes: [*changes[:-1], changes[-1] | fields]


def swap(changes: Changes) -> Changes:
    first, last = changes[-2], changes[-1]
    return [*changes[:-2], first | {"payload": last["payload"]}, last | {"payload": first["payload"]}]


def bare(changes: Changes) -> Changes:
    last = changes[-1]
    leaf = {name: last[name] for name in ("seq", "collection", "record_id", "revision", "parent", "deleted")}
    return [
        *changes[:-1],
        leaf
        | {
            "superseded": True,
            "payload_hash": history.payload_hash(last["payload"]),
            "meta": history.meta(last["labels"], last.get("source"), last.get("occurred_at")),
        },
    ]


def flipped(changes: Changes) -> Changes:
    payload = changes[-1]["payload"]
    return [*changes[:-1], changes[-1] | {"payload": payload[:-1] + bytes([payload[-1] ^ 1])}]


CLUMSY: dict[str, Lie] = {
    "swaps two payloads": swap,
    "alters a payload": flipped,
    "drops the last change": lambda changes: changes[:-1],
    "drops a change": lambda changes: [changes[0], *changes[2:]],
    "hides a payload behind a bare leaf": bare,
    "forges a deletion": set_last(deleted=True),
    "alters a label": set_last(labels=[b"x" * 16]),
    "alters a date": set_last(occurred_at="2021-01-01T00:00:00Z"),
    "alters a source": set_last(source="elsewhere"),
    "replays the feed": lambda changes: [*changes, *changes],
}

FITTING: dict[str, tuple[Lie, type[IntegrityError]]] = {
    "swaps two payloads": (swap, SealBroken),
    "alters a payload": (flipped, SealBroken),
    "hides a payload behind a bare leaf": (bare, HistoryForked),
    "forges a deletion": (set_last(deleted=True), SealBroken),
    "alters a label": (set_last(labels=[b"x" * 16]), SealBroken),
    "drops the labels": (set_last(labels=[]), SealBroken),
    "alters a date": (set_last(occurred_at="2021-01-01T00:00:00Z"), SealBroken),
    "drops the earlier revision": (lambda changes: changes[1:], SealBroken),
    "gives a payload to another record": (set_last(record_id="00000000-0000-4000-8000-000000000000"), SealBroken),
    "replays a payload as a later revision": (lambda changes: [*changes, dict(changes[-1])], SealBroken),
    "drops a change": (lambda changes: [changes[0], *changes[2:]], HistoryForked),
    "drops the last change": (lambda changes: changes[:-1], HistoryForked),
}


@pytest.mark.parametrize("lie", CLUMSY)
async def test_a_server_is_caught_that(lie: str, journal: list[str], two: JournalDevice, liar: Liar) -> None:
    liar.lie = CLUMSY[lie]
    with pytest.raises(HistoryForked):
        await two.sync()
    await assert_untouched(two, liar, journal)


@pytest.mark.parametrize("lie", FITTING)
async def test_a_server_that_makes_every_hash_fit_is_caught_that(
    lie: str, journal: list[str], two: JournalDevice, liar: Liar
) -> None:
    liar.lie, expected = FITTING[lie]
    liar.fitting = True
    with pytest.raises(expected) as caught:
        for _ in range(2):
            await two.sync()
    message = str(caught.value)
    assert "Do not trust this server" in message or "do not trust this server" in message
    assert "edited" not in message
    assert "entry 2" not in message


async def assert_untouched(device: JournalDevice, liar: Liar, journal: list[str]) -> None:
    """Nothing of the lie was kept: with the truth, all is well."""
    assert await device.bodies() == {}
    liar.lie = None
    await device.sync()
    assert set(await device.bodies()) == set(journal)


async def test_a_fork_is_caught_by_what_another_device_signed(
    journal: list[str], one: JournalDevice, two: JournalDevice, liar: Liar
) -> None:
    """The liar keeps the last change from device two, with every hash made to fit; device one's word gives it away."""
    liar.lie, liar.fitting = (lambda changes: changes[:-1]), True
    with pytest.raises(HistoryForked):
        for _ in range(2):
            await two.sync()


async def test_a_fork_is_caught_by_what_another_device_saw_when_it_wrote(
    journal: list[str], two: JournalDevice, liar: Liar
) -> None:
    """With the signed words hidden as well, the head that is sealed into each record gives a dropped change away."""
    liar.lie, liar.fitting, liar.hides = (lambda changes: [changes[0], *changes[2:]]), True, ("/sync/checkpoints",)
    with pytest.raises(HistoryForked):
        await two.sync()


async def test_a_checkpoint_that_no_device_signed_is_caught(
    journal: list[str], account: TestAccount, two: JournalDevice, one: JournalDevice, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "UPDATE checkpoints SET head = $2 WHERE user_id = $1", UUID(account.user_id), b"x" * 32
        )
    finally:
        await connection.close()
    with pytest.raises(HistoryForked):
        await two.sync()


async def test_a_confirmation_of_what_is_not_kept_is_caught(
    journal: list[str], two: JournalDevice, one: JournalDevice, liar: Liar
) -> None:
    """The server confirms a change of device two and drops it again before it is shown."""
    await two.sync()
    await one.journal.write(body="between")
    await one.sync()
    await two.journal.write(body="confirmed, then dropped")
    await two.sync()
    seen = await two.bodies()
    liar.lie, liar.fitting = (lambda changes: changes[:-1]), False
    await one.journal.write(body="another")
    await one.sync()
    with pytest.raises(HistoryForked):
        await two.sync()
    assert await two.bodies() == seen
