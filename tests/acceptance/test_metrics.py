"""Encrypted sums of a journal, with the whole SDK on several devices: the same as what the entries come to."""

from __future__ import annotations

import asyncio
import random
from datetime import date, timedelta

import pytest

from lockleaf.client import Client
from lockleaf.client.errors import MetricsOff, MetricsOutdated, MetricsUnreadable, SealBroken, TierRequired
from lockleaf.client.metrics.census import PARAMETERS, Census
from lockleaf.client.metrics.census_state import State
from lockleaf.client.sync.sync import synchroniser_of
from lockleaf.wire.analytics import SealedKey
from tests.support.diarist import PASSWORD, Diarist, caught
from tests.support.lies import AltersAnswers
from tests.support.lying_server import LyingServer
from tests.support.statistics import agree, facts

KEY = "/encryption/keys/ckks-4096"


async def _counting(ada: Diarist) -> tuple[Client, Client]:
    """Two devices whose sums are kept."""
    laptop, phone = await ada.first(), await ada.another()
    report = await laptop.metrics.count()
    assert (report.on, report.error) == (True, None)
    await phone.sync()
    return laptop, phone


async def test_sums_follow_what_is_written_edited_moved_deleted_and_restored_on_any_device(ada: Diarist) -> None:
    laptop, phone = await _counting(ada)
    first = await laptop.journal.write(body="one two three", mood="happy", date="1661-03-17")
    other = await phone.journal.write(body="a lovely day", date="1661-04-30", metrics={"sleep_hours": 7.5})
    assert (await laptop.sync()).metrics.sent == 1
    assert (await phone.sync()).metrics.sent == 2
    assert facts(await laptop.metrics.stats()) == [("1661-03-01", 1, 3.0), ("1661-04-01", 1, 3.0)]
    await laptop.sync()
    await agree(laptop, phone)

    await phone.journal.edit(first.id, body="one two three four five", mood="sad", date="1661-04-01")
    await laptop.journal.edit(other.id, metrics={"sleep_hours": 6.5, "steps": 9000})
    await phone.sync()
    await laptop.sync()
    await phone.sync()
    await agree(laptop, phone)
    assert facts(await phone.metrics.stats("steps")) == [("1661-04-01", 1, 9000.0)]

    await laptop.journal.delete(first.id)
    await laptop.journal.edit(other.id, title="A title changes no number")
    assert (await laptop.sync()).metrics.sent == 1
    await phone.sync()
    await agree(laptop, phone)
    await phone.journal.restore(first.id)
    await phone.sync()
    await laptop.sync()
    await agree(laptop, phone)
    assert (await laptop.metrics.stats("mood")).whole is not None


async def test_what_was_there_before_is_counted_once_whichever_device_switches_them_on(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    await caught(laptop.metrics.stats(local=False), MetricsOff)
    assert (await laptop.metrics.stats()).source == "device"
    mine = await laptop.journal.write(body="from before", date="2025-01-31")
    await laptop.sync()
    await phone.sync()
    gone = await phone.journal.write(body="deleted before")
    await phone.sync()
    await phone.journal.delete(gone.id)
    await phone.sync()
    # Written on one device, and not sent yet, when the other one begins.
    await laptop.journal.edit(mine.id, body="from before, edited")
    await laptop.journal.write(body="and not sent", date="2025-02-01")
    assert (await phone.metrics.count()).on
    assert facts(await phone.metrics.stats()) == [("2025-01-01", 1, 2.0)]
    assert (await laptop.sync()).metrics.on
    assert facts(await phone.metrics.stats()) == [("2025-01-01", 1, 3.0), ("2025-02-01", 1, 3.0)]
    await phone.sync()
    await agree(laptop, phone)
    # Switching on what is on counts nothing again; beginning anew does, and is heard of with the next sync.
    await laptop.metrics.count()
    await agree(laptop, phone)
    await laptop.metrics.count(again=True)
    await caught(phone.metrics.stats(), MetricsOutdated)
    await caught((await ada.another("tablet")).metrics.stats(), MetricsOutdated)
    await phone.sync()
    await agree(laptop, phone)


async def test_two_devices_that_begin_at_once_come_to_one_key_and_count_everything_once(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    for number in range(4):
        await (laptop, phone)[number % 2].journal.write(body="word " * number, date=f"2026-0{number + 1}-10")
    await asyncio.gather(laptop.sync(), phone.sync())
    await asyncio.gather(laptop.sync(), phone.sync())
    await asyncio.gather(laptop.metrics.count(), phone.metrics.count())
    for device in (laptop, phone, laptop):
        await device.sync()
    await agree(laptop, phone)
    keys = {State.load(device._device.opened.store).census for device in (laptop, phone)}
    assert len(keys) == 1


async def test_three_devices_that_do_as_they_please_agree_with_the_sums(ada: Diarist) -> None:
    chosen = random.Random(1661)
    devices = [*await _counting(ada), await ada.another("tablet")]
    words = ("happy day", "a bad quarrel", "rain", "supper and so to bed", "calm")
    for _ in range(40):
        device = chosen.choice(devices)
        entries = await device.journal.list(include_deleted=True)
        entry = chosen.choice(entries) if entries else None
        day = (date(2025, 12, 1) + timedelta(days=chosen.randrange(90))).isoformat()
        match chosen.randrange(6):
            case 0 | 1:
                numbers = {"sleep_hours": chosen.uniform(4, 10)} if chosen.random() < 0.5 else {}
                await device.journal.write(body=chosen.choice(words), mood="calm", date=day, metrics=numbers)
            case 2 if entry is not None and not entry.deleted:
                await device.journal.edit(entry.id, body=entry.body + "\n" + chosen.choice(words), date=day)
            case 3 if entry is not None and entry.deleted and entry.body:
                await device.journal.restore(entry.id)
            case 4 if entry is not None and not entry.deleted:
                await device.journal.delete(entry.id)
            case _:
                await device.sync()
    for _ in range(3):
        for device in devices:
            for conflict in await device.journal.conflicts():
                await device.journal.resolve(conflict.id, "local")
            assert (await device.sync()).metrics.error is None
    assert {len(await device.journal.list()) for device in devices} == {await devices[0].journal.count()}
    await agree(*devices)


async def test_a_range_that_cuts_months_counts_its_own_days(ada: Diarist) -> None:
    laptop, phone = await _counting(ada)
    for day in ("1659-12-31", "1660-01-01", "1660-02-29", "1660-03-01", "1661-01-01"):
        await laptop.journal.write(body="word", date=day)
    await laptop.sync()
    await phone.sync()
    ranges = [
        {"since": "1660-01-02"},
        {"until": "1660-02-29"},
        {"since": "1660-01-01", "until": "1660-12-31"},
        {"since": "1660-01-02", "until": "1660-01-30"},
    ]
    for wanted in ranges:
        await agree(laptop, phone, **wanted)
    assert facts(await phone.metrics.stats(by="year")) == [
        ("1659-01-01", 1, 1.0), ("1660-01-01", 3, 3.0), ("1661-01-01", 1, 1.0),
    ]  # fmt: skip
    assert facts(await phone.metrics.stats(by="week", since="1660-02-27", until="1660-03-01")) == [
        ("1660-02-23", 1, 1.0),
        ("1660-03-01", 1, 1.0),
    ]


async def test_switched_off_they_are_gone_for_every_device_and_come_back_whole(ada: Diarist) -> None:
    laptop, phone = await _counting(ada)
    await laptop.journal.write(body="one two")
    await laptop.sync()
    assert not (await phone.metrics.count(False)).on
    await laptop.journal.write(body="three")
    assert (await laptop.sync()).metrics == (await phone.sync()).metrics
    for device in (laptop, phone):
        await caught(device.metrics.stats(local=False), MetricsOff)
        assert (await device.metrics.stats()).source == "device"
    assert (await laptop.privacy.set_tier("analytics_sync", password=PASSWORD)).deleted.metrics == 0
    await laptop.privacy.set_tier("full_sync")
    await laptop.sync()
    assert (await laptop.metrics.count()).on
    await phone.sync(accept_restore=True)
    await laptop.sync()
    await agree(laptop, phone)
    assert (await laptop.metrics.stats()).whole is not None


async def test_where_the_server_keeps_no_sums_any_more_they_are_those_of_the_device(ada: Diarist) -> None:
    laptop, phone = await _counting(ada)
    await laptop.journal.write(body="one two three")
    await laptop.sync()
    assert (await laptop.metrics.stats()).source == "server"
    # Another device ends it, of which this one has not heard.
    await phone.metrics.count(False)
    found = await laptop.metrics.stats()
    assert (found.source, facts(found)) == ("device", facts(await laptop.metrics.stats(local=True)))
    await caught(laptop.metrics.stats(local=False), MetricsOff)
    await laptop.metrics.count()
    assert (await laptop.metrics.stats()).source == "server"
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    found = await laptop.metrics.stats()
    assert (found.source, facts(found)) == ("device", facts(await laptop.metrics.stats(local=True)))
    await caught(laptop.metrics.stats(local=False), TierRequired)


async def test_a_tier_that_fell_and_rose_again_has_everything_counted_anew(ada: Diarist) -> None:
    laptop, phone = await _counting(ada)
    await laptop.journal.write(body="one two three")
    await laptop.sync()
    await phone.sync()
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await caught(laptop.metrics.count(), TierRequired)
    await laptop.privacy.set_tier("full_sync")
    await phone.journal.write(body="four")
    assert (await laptop.sync()).metrics.on
    await phone.sync(accept_restore=True)
    await laptop.sync()
    await agree(laptop, phone)
    # Without the entries the sums go on, and with them again they are counted anew.
    await laptop.privacy.set_tier("analytics_sync", password=PASSWORD)
    await laptop.journal.write(body="five six")
    assert (await laptop.metrics.send()).sent == 1
    assert facts(await laptop.metrics.stats(by="year")) == facts(await laptop.metrics.stats(by="year", local=True))
    await laptop.privacy.set_tier("full_sync")
    await laptop.sync()
    await phone.sync(accept_restore=True)
    await laptop.sync()
    await agree(laptop, phone)


async def test_where_entries_stay_on_the_device_their_numbers_are_added_up_all_the_same(ada: Diarist) -> None:
    laptop = await ada.first()
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    entry = await laptop.journal.write(body="one two three", mood="calm", metrics={"sleep_hours": 8})
    raised = await laptop.privacy.set_tier("analytics_sync")
    assert raised.he_public_key_registered
    assert (await laptop.metrics.send()).sent == 2
    await agree(laptop)
    await laptop.journal.edit(entry.id, body="one", mood=None)
    await laptop.journal.write(body="a bad day", date="2020-02-29")
    assert (await laptop.metrics.send()).sent == 2
    assert (await laptop.metrics.send()).sent == 0
    await agree(laptop)
    await laptop.journal.delete(entry.id)
    await laptop.metrics.send()
    await agree(laptop)
    # Another device counts its own, and reads the sums of both.
    phone = await ada.another()
    await phone.journal.write(body="on the phone", date="2020-03-01")
    assert (await phone.metrics.send()).sent == 1
    assert facts(await laptop.metrics.stats()) == [("2020-02-01", 1, 3.0), ("2020-03-01", 1, 3.0)]


async def test_a_copied_device_counts_nothing_twice(ada: Diarist) -> None:
    laptop, _ = await _counting(ada)
    await laptop.journal.write(body="one two three")
    store = laptop._device.opened.store
    # As it is between the acceptance of a change and the moment its delta is made: twice.
    await laptop.sync()
    state = State.load(store)
    assert state.census is not None
    (record,) = store.records.entries()
    from lockleaf.client.records.counted import standing_in
    from lockleaf.client.store.contributions import Contribution

    again = Contribution(state.census.census_id, record.record_id, record.revision, None, standing_in(record.doc))
    store.contributions.add([again])
    await laptop.journal.write(body="four")
    report = (await laptop.sync()).metrics
    assert (report.error, report.waiting) == (None, 0)
    await agree(laptop)


async def test_after_a_rotation_everything_is_counted_anew_under_a_key_that_no_old_keyring_opens(ada: Diarist) -> None:
    laptop, _ = await _counting(ada)
    store = laptop._device.opened.store
    before, stolen = State.load(store), store.keyring
    await laptop.account.rotate_keyring(PASSWORD)
    await laptop.journal.write(body="after the rotation")
    await laptop.sync()
    after = State.load(store)
    assert before.census is not None
    assert after.census is not None
    assert after.census.key != before.census.key
    assert after.census.number > before.census.number
    session = laptop._device.session
    kept = await session.transport.request("GET", f"/encryption/keys/{PARAMETERS.name}", answer=SealedKey, msgpack=True)
    with pytest.raises(SealBroken):
        Census.open(stolen, str(session.profile.user_id), kept.version, kept.sealed_key)
    tablet = await ada.another("tablet")
    await tablet.sync()
    await agree(laptop, tablet)


async def test_a_wrong_sum_is_named_or_shown_by_the_device_itself(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await laptop.journal.write(body="one two three", date="2026-01-01")
    await laptop.metrics.count()
    answers: list[bytes] = []

    def keep(answer: dict[str, object]) -> None:
        answers.append(answer["buckets"][0]["encrypted_result"])  # type: ignore[index]

    liar.tell(AltersAnswers("/encryption/aggregate", keep))
    await laptop.metrics.stats()
    await laptop.journal.write(body="four", date="2026-01-02")
    await laptop.sync()

    def earlier(answer: dict[str, object]) -> None:
        answer["buckets"][0]["encrypted_result"] = answers[0]  # type: ignore[index]

    liar.tell(AltersAnswers("/encryption/aggregate", earlier))
    assert facts(await laptop.metrics.stats()) == [("2026-01-01", 1, 3.0)]
    assert facts(await laptop.metrics.stats(local=True)) == [("2026-01-01", 2, 4.0)]

    # What was encrypted under the key of another census.
    await laptop.metrics.count(again=True)
    await caught(laptop.metrics.stats(), MetricsUnreadable)


@pytest.mark.parametrize("again", [False, True])
async def test_clients_that_know_nothing_of_metrics_neither_break_nor_join_the_sums(ada: Diarist, again: bool) -> None:
    """A device that was never told writes and edits; what it wrote joins with the next edit, or when counted anew."""
    laptop, phone = await ada.first(), await ada.another()
    entry = await phone.journal.write(body="one two", date="2026-01-01")
    await phone.sync()
    await laptop.metrics.count()
    unaware = synchroniser_of(phone._device, None)
    await phone.journal.edit(entry.id, body="one two three")
    await phone.journal.write(body="four", date="2026-01-02")
    await unaware.run()
    await laptop.sync()
    assert facts(await laptop.metrics.stats()) == [("2026-01-01", 1, 2.0)]
    if again:
        await laptop.metrics.count(again=True)
    else:
        for each in await laptop.journal.list():
            await laptop.journal.edit(each.id, body=each.body + " more")
        await laptop.sync()
    await phone.sync()
    await agree(laptop, phone)
    assert (await laptop.metrics.stats()).whole.count == 2  # type: ignore[union-attr]
