"""A server's list of conflicts is a claim: what the history accepted, or a device decided, does not come back by it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from lockleaf.client import Client
from lockleaf.client.errors import UnsealedChange
from tests.support.diarist import Diarist, caught, write
from tests.support.forged_history import Change, history_of
from tests.support.lies import AltersAnswers
from tests.support.lying_server import Lie, LyingServer

MADE_UP = {"device_id": "made-up", "updated_at": "2031-01-01T00:00:00Z"}


def as_conflict(change: Change) -> dict[str, Any]:
    """A revision as a server lists it that says it were a conflict, found just now on some device."""
    version = {
        "encrypted_content": change["payload"],
        "base_revision": change["revision"] - 1,
        "parent": change["parent"],
        "labels": change["labels"],
        "source": change.get("source"),
        "occurred_at": change.get("occurred_at"),
        "deleted": change["deleted"],
        **MADE_UP,
    }
    return {
        "id": str(uuid4()),
        "collection": change["collection"],
        "log_id": change["record_id"],
        "detected_at": MADE_UP["updated_at"],
        "local_version": version,
        "remote_version": version | {"encrypted_content": None},
    }


def lists(*listed: dict[str, Any]) -> Lie:
    """A server that lists these as open conflicts, beside those that there are."""

    def alter(answer: dict[str, Any]) -> None:
        answer["conflicts"] = [*answer["conflicts"], *listed]
        answer["total_count"] = len(answer["conflicts"])

    return AltersAnswers("/sync/conflicts", alter, method="GET")


async def of(laptop: Client, entry_id: str) -> Change:
    """The last revision of an entry as it travels."""
    return (await history_of(laptop)).of(entry_id)


async def disputed(laptop: Client, phone: Client) -> str:
    """An entry with an open conflict: "the laptop's" stands, and "the phone's" waits."""
    (one,) = await write(laptop, "before")
    await phone.sync()
    await laptop.journal.edit(one, body="the laptop's")
    await phone.journal.edit(one, body="the phone's")
    await laptop.sync()
    assert (await phone.sync()).conflicts == 1
    assert (await laptop.sync()).conflicts == 1
    return one


async def bodies(client: Client) -> list[str]:
    return sorted(entry.body for entry in await client.journal.list())


async def test_earlier_revisions_and_deletions_are_no_conflicts(
    ada: Diarist, liar: LyingServer, subtests: pytest.Subtests
) -> None:
    laptop, phone = await ada.first(at=liar.url), await ada.another(at=liar.url)
    (one,) = await write(laptop, "regretted")
    claimed = [as_conflict(await of(laptop, one))]
    await phone.sync()
    await laptop.journal.edit(one, body="kept")
    await laptop.sync()
    await laptop.journal.delete(one)
    await laptop.sync()
    claimed.append(as_conflict(await of(laptop, one)))
    await laptop.journal.restore(one)
    await laptop.sync()
    claimed.append(as_conflict(await of(laptop, one)))
    fresh = await ada.another("fresh", at=liar.url)
    liar.tell(lists(*claimed))
    for name, device in {"wrote all": laptop, "was away": phone, "is new": fresh}.items():
        with subtests.test(name):
            for _ in range(2):
                report = await device.sync()
                assert report.conflicts == 0
                assert [(item.entry_id, item.why) for item in report.stale] == [(one, "accepted")] * 3
            assert await device.journal.conflicts() == []
            assert await bodies(device) == ["kept"]
    liar.tell(Lie())
    for device in (laptop, phone, fresh):
        assert (await device.sync()).stale == ()


@pytest.mark.parametrize("choice", ["local", "remote"])
async def test_a_decided_conflict_does_not_come_back(ada: Diarist, liar: LyingServer, choice: str) -> None:
    laptop, phone = await ada.first(at=liar.url), await ada.another(at=liar.url)
    one = await disputed(laptop, phone)
    listed: list[dict[str, Any]] = []
    liar.tell(AltersAnswers("/sync/conflicts", lambda answer: listed.extend(answer["conflicts"]), method="GET"))
    await laptop.sync()
    (conflict,) = await laptop.journal.conflicts()
    await laptop.journal.resolve(conflict.id, choice)
    await laptop.sync()
    # Somebody goes on with the entry who knows nothing of the decision but its revision.
    await phone.sync()
    await phone.journal.edit(one, title="later")
    await phone.sync()
    again = [item | {"id": str(uuid4()), "detected_at": MADE_UP["updated_at"]} for item in listed[:1]]
    fresh = await ada.another("fresh", at=liar.url)
    liar.tell(lists(*again))
    stands = "the phone's" if choice == "local" else "the laptop's"
    for device in (laptop, phone, fresh):
        for _ in range(2):
            assert (await device.sync()).conflicts == 0
        assert await device.journal.conflicts() == []
        assert await bodies(device) == [stands]
        assert [item.why for item in (await device.sync()).stale] == ["decided"]


async def test_a_decision_stays_decided_after_the_entry_is_deleted(ada: Diarist, liar: LyingServer) -> None:
    laptop, phone = await ada.first(at=liar.url), await ada.another(at=liar.url)
    one = await disputed(laptop, phone)
    listed: list[dict[str, Any]] = []
    liar.tell(AltersAnswers("/sync/conflicts", lambda answer: listed.extend(answer["conflicts"]), method="GET"))
    await phone.sync()
    (conflict,) = await phone.journal.conflicts()
    await phone.journal.resolve(conflict.id, "merged", merged_body="of both")
    await phone.sync()
    await laptop.sync()
    await laptop.journal.delete(one)
    await laptop.sync()
    fresh = await ada.another("fresh", at=liar.url)
    liar.tell(lists(*listed[:1]))
    for device in (laptop, phone, fresh):
        assert (await device.sync()).conflicts == 0
        assert await bodies(device) == []


async def test_a_conflict_that_the_server_hides_waits_on_and_is_one_when_it_is_shown_again(
    ada: Diarist, liar: LyingServer
) -> None:
    """A variant: not to be listed is no decision, or a server could have a device throw a version away."""
    laptop, phone = await ada.first(at=liar.url), await ada.another(at=liar.url)
    await disputed(laptop, phone)

    def hide(answer: dict[str, Any]) -> None:
        answer.update(conflicts=[], total_count=0)

    liar.tell(AltersAnswers("/sync/conflicts", hide, method="GET"))
    for device in (laptop, phone):
        assert (await device.sync()).conflicts == 1
    liar.tell(Lie())
    for device in (laptop, phone):
        assert (await device.sync()).conflicts == 1
        (conflict,) = await device.journal.conflicts()
        assert conflict.local is not None
        assert conflict.local.body == "the phone's"
    # Decided while it was hidden, it is closed everywhere.
    liar.tell(AltersAnswers("/sync/conflicts", hide, method="GET"))
    await laptop.sync()
    (conflict,) = await laptop.journal.conflicts()
    await laptop.journal.resolve(conflict.id, "local")
    await laptop.sync()
    liar.tell(Lie())
    for device in (phone, laptop):
        assert (await device.sync()).conflicts == 0
        assert await bodies(device) == ["the phone's"]
    assert (await phone.sync()).stale == (await laptop.sync()).stale == ()


async def test_device_and_time_of_a_conflict_are_those_that_its_writer_sealed(ada: Diarist, liar: LyingServer) -> None:
    laptop, phone = await ada.first(at=liar.url), await ada.another(at=liar.url)
    await disputed(laptop, phone)
    (written,) = await phone.journal.conflicts()

    def alter(answer: dict[str, Any]) -> None:
        for item in answer["conflicts"]:
            item["detected_at"] = MADE_UP["updated_at"]
            item["local_version"].update(MADE_UP)

    fresh = await ada.another("fresh", at=liar.url)
    liar.tell(AltersAnswers("/sync/conflicts", alter, method="GET"))
    await fresh.sync()
    (conflict,) = await fresh.journal.conflicts()
    assert phone.profile is not None
    assert conflict.device_id == phone.profile.device_id
    assert conflict.detected_at.year != 2031
    assert abs(conflict.detected_at - written.detected_at).total_seconds() < 3600


@pytest.mark.parametrize("payload", [None, b"", b"\x82not an envelope"], ids=["none", "empty", "a map"])
async def test_a_conflict_without_a_seal_is_none(ada: Diarist, liar: LyingServer, payload: bytes | None) -> None:
    laptop = await ada.first(at=liar.url)
    (one,) = await write(laptop, "one")
    claimed = as_conflict(await of(laptop, one))
    claimed["local_version"] = claimed["local_version"] | {"encrypted_content": payload}
    liar.tell(lists(claimed))
    await caught(laptop.sync(), UnsealedChange)
    assert await laptop.journal.conflicts() == []
    assert await bodies(laptop) == ["one"]
