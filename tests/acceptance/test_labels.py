"""Labels of mood, tags and source: sent or not, as the user chose, by every device, whatever the server says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client import Client
from lockleaf.client.errors import LabelsBelongToCustody, ServerUnreachable
from lockleaf.client.records.labels import merge_settings
from lockleaf.client.records.merge import Version
from lockleaf.client.search.listing import _SealedPage
from lockleaf.crypto.labels import label
from tests.support.command_line import CommandLine, fresh_email
from tests.support.networks import Network
from tests.support.people import Person, UcePerson
from tests.support.process import RunningServer


@pytest.fixture
async def ada(tmp_path: Path, server: RunningServer) -> AsyncIterator[Person]:
    async with AsyncExitStack() as stack:
        yield Person(tmp_path / "home", server.url, stack)


async def at_server(client: Client) -> dict[str, int]:
    """How many labels the server has of each entry, by id."""
    page = await client._device.session.transport.request("GET", "/entries", answer=_SealedPage, params={"limit": 500})
    return {item.id: len(item.labels) for item in page.items}


async def two(ada: Person) -> tuple[Client, Client]:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    return laptop, phone


async def write(client: Client, body: str, **fields) -> str:
    entry = await client.journal.write(body=body, **({"mood": "calm", "tags": ["garden", "walks"]} | fields))
    return entry.id


async def test_no_label_leaves_any_device_once_one_chose_so(ada: Person) -> None:
    laptop, phone = await two(ada)
    first, plain = await write(laptop, "first"), await write(laptop, "no labels", mood=None, tags=[])
    await laptop.sync()
    await phone.sync()
    assert laptop.privacy.sends_labels
    assert await at_server(laptop) == {first: 4, plain: 1}
    head = await laptop.journal.get(first)

    await laptop.privacy.send_labels(False)
    assert (await laptop.sync()).pushed >= 1
    assert set((await at_server(laptop)).values()) == {0}
    assert not laptop.privacy.sends_labels
    # The phone has not heard of it, sends one more with labels, and makes that good.
    late = await write(phone, "late")
    await phone.sync()
    assert not phone.privacy.sends_labels
    new = await write(phone, "new")
    await phone.sync()
    await laptop.sync()
    found = await at_server(laptop)
    assert set(found) == {first, plain, late, new}
    assert set(found.values()) == {0}
    # Sealing again is no edit.
    again = await laptop.journal.get(first)
    assert (again.body, again.tags, again.mood) == (head.body, head.tags, head.mood)
    assert await laptop.journal.conflicts() == []
    assert await phone.journal.conflicts() == []
    assert (await laptop.sync()).pushed == 0
    assert (await phone.sync()).pushed == 0


async def test_a_device_that_comes_later_obeys_from_its_first_entry(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    await laptop.privacy.send_labels(False)
    await laptop.sync()
    network = Network()
    phone = await ada.device("phone", network=network)
    await ada.login(phone)
    await write(phone, "written before its first sync")
    await phone.sync()
    assert set((await at_server(phone)).values()) == {0}
    assert not phone.privacy.sends_labels


async def test_filters_work_without_labels_and_the_server_is_asked_for_none(ada: Person) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    garden, _ = await write(laptop, "herons"), await write(laptop, "pears", tags=["food"], mood="glad")
    await laptop.privacy.send_labels(False)
    await laptop.sync()
    page = await laptop.search.entries_page(tag="GARDEN", limit=1)
    assert [entry.id for entry in page.entries] == [garden]
    assert [entry.body for entry in await laptop.journal.list(mood="glad")] == ["pears"]
    await laptop.search.switch_on()
    await laptop.sync()
    found = await laptop.search.find("herons tag:garden")
    assert [hit.entry.id for hit in found.hits] == [garden]
    assert (await laptop.search.find("herons tag:food")).hits == ()
    index_key = laptop._device.opened.keyring.index_key
    secrets = [label(index_key, "tag", name) for name in ("garden", "food")]
    asked = [content for method, path, content in network.sent if path.endswith("/search")]
    assert asked
    for content in asked:
        assert all(each.hex().encode() not in content for each in secrets)
        assert b'"labels":[]' in content or b'"labels"' not in content


async def test_labels_come_back_when_they_are_wanted_again(ada: Person) -> None:
    laptop, phone = await two(ada)
    first = await write(laptop, "first")
    await laptop.privacy.send_labels(False)
    await laptop.sync()
    await phone.sync()
    await phone.privacy.send_labels(True)
    await phone.sync()
    await laptop.sync()
    assert laptop.privacy.sends_labels
    assert (await at_server(laptop))[first] > 0
    page = await laptop.search.entries_page(tag="garden")
    assert [entry.id for entry in page.entries] == [first]


async def test_of_two_choices_off_stands(ada: Person) -> None:
    laptop, phone = await two(ada)
    await write(laptop, "first")
    await laptop.sync()
    await phone.sync()
    await laptop.privacy.send_labels(True)
    await phone.privacy.send_labels(False)
    await laptop.sync()
    await phone.sync()
    await laptop.sync()
    assert not laptop.privacy.sends_labels
    assert not phone.privacy.sends_labels
    assert set((await at_server(laptop)).values()) == {0}
    assert await laptop.journal.conflicts() == []


async def test_an_edit_that_waited_with_labels_is_sealed_again_and_not_lost(ada: Person) -> None:
    network = Network()
    laptop, phone = await ada.device("laptop", network=network), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    first = await write(laptop, "first")
    await laptop.sync()
    await phone.sync()
    await phone.privacy.send_labels(False)
    await phone.sync()
    await laptop.journal.edit(first, body="edited meanwhile")
    network.refused = frozenset({"POST"})
    with pytest.raises(ServerUnreachable):
        await laptop.sync()
    network.refused = frozenset()
    await laptop.sync()
    await phone.sync()
    assert (await phone.journal.get(first)).body == "edited meanwhile"
    assert set((await at_server(laptop)).values()) == {0}
    assert await phone.journal.conflicts() == []


async def test_where_the_server_reads_they_hide_nothing_and_that_is_said(tmp_path: Path, server: RunningServer) -> None:
    async with AsyncExitStack() as stack:
        grace = UcePerson(tmp_path / "home", server.url, stack)
        laptop = await grace.device("laptop")
        await grace.register(laptop)
        with pytest.raises(LabelsBelongToCustody):
            await laptop.privacy.send_labels(False)
        assert laptop.privacy.sends_labels


def test_the_command_line_shows_and_chooses(server: RunningServer, tmp_path: Path) -> None:
    device = CommandLine(tmp_path, "laptop")
    device.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "x")
    device.run("write", "text", "--tag", "garden")
    device.run("sync")
    assert device.run("privacy", "labels", "--json").value() == {"labels": "on", "sealed_again": 0}
    assert device.run("privacy", "labels", "off", "--json").value() == {"labels": "off", "sealed_again": 1}
    assert "off" in device.run("privacy", "labels").out
    assert device.run("list", "--remote", "--tag", "garden", "--json").value()["body"] == "text"


CHOICES = st.sampled_from(["on", "off"])


@given(base=st.none() | CHOICES, local=CHOICES, remote=CHOICES)
def test_two_choices_come_to_the_same_on_both_sides_and_nothing_but_a_change_turns_labels_on(
    base: str | None, local: str, remote: str
) -> None:
    def version(value: str | None) -> Version:
        return Version({"type": "setting", "value": value})

    before = None if base is None else version(base)
    one = merge_settings(before, version(local), version(remote)).content
    other = merge_settings(before, version(remote), version(local)).content
    assert one is not None
    assert other is not None
    assert one["value"] == other["value"]
    if one["value"] == "on" and "off" in (local, remote):
        assert base == "off"
