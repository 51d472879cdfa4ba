"""An account of another application, taken over: what it sealed by a scheme of its own is carried along everywhere."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lockleaf.client import Client, export_archive
from lockleaf.client.errors import (
    AccountHasKeys,
    HistoryForked,
    PasswordKnown,
    UnsealedChange,
    WrongPassword,
)
from lockleaf.client.store.records import ENTRIES, TAGS
from lockleaf.crypto.kdf import CHEAPEST
from lockleaf.wire.codec import pack, unpack
from tests.acceptance.test_archive import worker
from tests.support.command_line import PASSWORD as TYPED
from tests.support.command_line import CommandLine, fresh_email
from tests.support.diarist import NEW_PASSWORD, PASSWORD, Diarist, caught
from tests.support.exports import read_journal
from tests.support.forged_history import history_of
from tests.support.lies import Shows
from tests.support.lying_server import LyingServer
from tests.support.process import RunningServer
from tests.support.unsealed import follow

OLD_PASSWORD = "what the old application sends"
SENT = {
    "encrypted_content": "eyJjdCI6ICJhYmMifQ==",
    "encrypted_title": "eyJjdCI6ICJkZWYifQ==",
    "content_hash": "5f" * 32,
    "tag_names": ["walks", "U2FsdGVkX1+tag"],
    "mood": "calm",
    "occurred_at": "2026-03-14T18:30:00+01:00",
    "nonce": "a field of its own",
    "rounds": 12,
    "parts": [1, 2.5, "three"],
}
REPORT = {"encrypted_content": "c2Vjb25k", "location": "U2FsdGVkX1+somewhere"}


class Older:
    """The application that made the account, and keeps its keys to itself."""

    def __init__(self, http: httpx.AsyncClient, email: str) -> None:
        self._http = http
        self.email = email

    async def sign_up(self, path: str = "/auth/register", **fields: Any) -> None:
        """Make the account."""
        body = {"email": self.email, "password": OLD_PASSWORD, **fields}
        answer = await self._http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def ask(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """Send a request; the answer's JSON."""
        answer = await self._http.request(method, path, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def write(self, **fields: Any) -> str:
        """Write an entry; its id."""
        return str((await self.ask("POST", "/entries", 201, json=fields))["id"])


@pytest.fixture
async def older(server: RunningServer, ada: Diarist) -> AsyncIterator[Older]:
    """Ada's other application, signed up, with a diary: two entries, one of them changed, and a deleted one."""
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
        older = Older(http, ada.email)
        await older.sign_up(privacy_tier="full_sync")
        yield older


async def a_diary(older: Older) -> tuple[str, str, str]:
    """Two entries, one of which was changed, and one that was deleted; their ids."""
    first = await older.write(**{**SENT, "mood": "not yet"})
    await older.ask("PUT", f"/entries/{first}", json={"mood": SENT["mood"], "revision": 2})
    second, gone = await older.write(**REPORT), await older.write(encrypted_content="Z29uZQ==")
    await older.ask("DELETE", f"/entries/{gone}")
    await older.ask("DELETE", f"/entries/{second}")
    await older.ask("POST", f"/entries/{second}/restore")
    return first, second, gone


async def adopted(ada: Diarist, name: str = "laptop", *, at: str | None = None) -> Client:
    """A device that takes the account over."""
    client = await ada.open(name)
    codes = await client.account.adopt(
        at or ada.server, ada.email, OLD_PASSWORD, PASSWORD, device_name=name, kdf_profile=CHEAPEST
    )
    assert len(codes) == 10
    return client


async def shown(client: Client) -> dict[str, dict[str, Any]]:
    """What another application sealed, by id."""
    return {entry.id: dict(entry.foreign) for entry in await client.journal.list() if entry.foreign is not None}


async def test_what_another_application_sealed_is_listed_and_carried_to_every_device(
    ada: Diarist, older: Older
) -> None:
    first, second, gone = await a_diary(older)
    expected = {first: SENT, second: REPORT}
    laptop = await adopted(ada)
    report = await laptop.sync()
    assert (report.pulled, report.conflicts, report.pending) == (3, 0, 0)
    own = await laptop.journal.write(body="own words", tags=["walks"], mood="calm")
    await laptop.sync()
    phone = await ada.another()
    await phone.sync()
    for device in (laptop, phone):
        assert await shown(device) == expected
        entries = {entry.id: entry for entry in await device.journal.list()}
        assert entries.keys() == {first, second, own.id}
        assert (entries[first].date, entries[first].body) == (SENT["occurred_at"], "")
        assert {tag.name for tag in await device.journal.tags()} == {"walks"}
        assert not (await device.sync()).pending
    # The application's own bytes stand at the server as they were.
    history = await history_of(laptop)
    assert unpack(history.of(first)["payload"]) == SENT
    assert history.of(gone)["deleted"]
    pages = await laptop.search.entries_page()
    assert {entry.id: dict(entry.foreign) for entry in pages.entries if entry.foreign} == expected
    states = await laptop.history(first)
    assert [dict(each.entry.foreign)["mood"] for each in states if each.entry and each.entry.foreign] == [
        "calm",
        "not yet",
    ]


async def test_it_goes_through_rotation_repair_and_an_emptied_server(ada: Diarist, older: Older) -> None:
    first, second, _ = await a_diary(older)
    expected = {first: SENT, second: REPORT}
    laptop = await adopted(ada)
    await laptop.sync()
    await laptop.journal.write(body="own words")
    await laptop.sync()
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)
    assert not (await laptop.sync()).rejected
    await laptop.sync.repair(NEW_PASSWORD)
    assert await shown(laptop) == expected
    phone = await ada.open("phone")
    await ada.login(phone, password=NEW_PASSWORD)
    await phone.sync()
    assert await shown(phone) == expected
    # Lowering the tier takes everything off the server; what was the other application's is sent sealed after that.
    await laptop.privacy.set_tier("local_only", password=NEW_PASSWORD)
    await laptop.privacy.set_tier("full_sync")
    assert (await laptop.sync()).emptied
    tablet = await ada.open("tablet")
    await ada.login(tablet, password=NEW_PASSWORD)
    await tablet.sync()
    await phone.sync(accept_restore=True)
    for device in (tablet, phone):
        assert await shown(device) == expected
    await tablet.account.rotate_keyring(NEW_PASSWORD, PASSWORD)
    await tablet.sync()
    assert await shown(tablet) == expected


async def test_what_leaves_no_room_for_a_seal_stays_here_and_stops_nothing(ada: Diarist, older: Older) -> None:
    whole = await older.write(encrypted_content="x" * (4 * 1024 * 1024 - 100))
    laptop = await adopted(ada)
    await laptop.sync()
    await laptop.journal.write(body="own words")
    await laptop.sync()
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await laptop.privacy.set_tier("full_sync")
    report = await laptop.sync()
    assert [(each.record_id, each.code) for each in report.rejected] == [(whole, "payload_too_large")]
    assert report.pushed == 1
    assert whole in await shown(laptop)


async def test_it_can_be_annotated_deleted_and_restored(ada: Diarist, older: Older) -> None:
    first, second, _ = await a_diary(older)
    laptop = await adopted(ada)
    await laptop.sync()
    phone = await ada.another()
    await phone.sync()
    await laptop.journal.edit(first, title="The walk along the dyke", tags=["walks"])
    await laptop.journal.delete(second)
    await laptop.sync()
    await phone.sync()
    (entry,) = await phone.journal.list()
    assert (entry.title, entry.foreign) == ("The walk along the dyke", SENT)
    await phone.journal.restore(second)
    await phone.sync()
    await laptop.sync()
    assert await shown(laptop) == {first: SENT, second: REPORT}


@pytest.mark.parametrize("form", ["json", "markdown", "dayone"])
async def test_an_export_gives_it_back_and_is_imported_again(
    ada: Diarist, older: Older, tmp_path: Path, form: str
) -> None:
    first, second, _ = await a_diary(older)
    laptop = await adopted(ada)
    await laptop.sync()
    exported = await laptop.export(tmp_path / "out", form=form)
    assert (exported.entries, exported.missing) == (2, ())
    again = await laptop.journal.import_from(tmp_path / "out")
    assert (again.added, again.present, again.updated) == (0, 2, 0)
    other = await ada.open("other")
    await other.account.register(ada.server, fresh_email(), PASSWORD, device_name="other", kdf_profile=CHEAPEST)
    assert (await other.journal.import_from(tmp_path / "out")).added == 2
    await other.sync()
    assert await shown(other) == {first: SENT, second: REPORT}


async def test_an_archive_holds_it_and_opens_without_the_server(
    ada: Diarist, older: Older, server_environment: dict[str, str], tmp_path: Path
) -> None:
    first, second, _ = await a_diary(older)
    laptop = await adopted(ada)
    own = await laptop.journal.write(body="own words")
    await laptop.sync()
    with worker(tmp_path / "worker", server_environment):
        await laptop.fetch_archive(tmp_path / "mine.zip")
    report = await export_archive(
        tmp_path / "mine.zip", tmp_path / "out", password=PASSWORD, form="json", allow_test_parameters=True
    )
    assert (report.entries, report.missing) == (3, ())
    found = {each["id"]: each.get("foreign") for each in read_journal((tmp_path / "out" / "journal.json").read_bytes())}
    assert found == {first: SENT, second: REPORT, own.id: None}


async def test_only_what_stands_before_the_keys_may_be_unsealed(ada: Diarist, older: Older, liar: LyingServer) -> None:
    first, second, _ = await a_diary(older)
    laptop = await adopted(ada)
    await laptop.journal.write(body="own words")
    await laptop.sync()
    for number, (collection, record_id, fields) in enumerate(
        (
            (ENTRIES, first, {"deleted": True}),
            (ENTRIES, second, {"payload": pack(SENT)}),
            (ENTRIES, "01890c5e-0000-7000-8000-000000000000", {"payload": pack(SENT)}),
            (TAGS, "ab" * 16, {"payload": pack({"name": "guess"})}),
        )
    ):
        history = await history_of(laptop)
        follow(history, collection, record_id, **fields)
        liar.tell(Shows(history))
        phone = await ada.another(f"phone-{number}", at=liar.url)
        await caught(phone.sync(), UnsealedChange)
        assert await phone.journal.list() == []


async def test_a_server_that_names_a_false_end_is_found_out(ada: Diarist, older: Older, liar: LyingServer) -> None:
    first, _, _ = await a_diary(older)
    laptop = await adopted(ada)
    await laptop.sync()
    history = await history_of(laptop)
    # The same history, but for what was written before the keys.
    del history.changes[-1]
    liar.tell(Shows(history))
    phone = await ada.another(at=liar.url)
    await caught(phone.sync(), HistoryForked)
    assert first in await shown(laptop)


@pytest.mark.parametrize("tier", ["local_only", "full_sync"])
async def test_an_account_without_entries_is_taken_over_too(ada: Diarist, server: RunningServer, tier: str) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
        await Older(http, ada.email).sign_up(privacy_tier=tier)
    laptop = await adopted(ada)
    await laptop.privacy.set_tier("full_sync")
    await laptop.journal.write(body="own words")
    await laptop.sync()
    phone = await ada.another()
    await phone.sync()
    assert [entry.body for entry in await phone.journal.list()] == ["own words"]


async def test_it_is_said_what_an_account_without_keys_needs_and_nothing_is_given_away(
    ada: Diarist, older: Older
) -> None:
    laptop = await ada.open("laptop")
    # The password of the older application is not what this program would send.
    with pytest.raises(WrongPassword):
        await ada.login(laptop, password=OLD_PASSWORD)
    adopt = laptop.account.adopt
    names: dict[str, Any] = {"device_name": "laptop", "kdf_profile": CHEAPEST}
    with pytest.raises(WrongPassword):
        await adopt(ada.server, ada.email, "a wrong one", PASSWORD, **names)
    await caught(adopt(ada.server, ada.email, OLD_PASSWORD, OLD_PASSWORD, **names), PasswordKnown)
    await adopt(ada.server, ada.email, OLD_PASSWORD, PASSWORD, **names)
    phone = await ada.open("phone")
    with pytest.raises(WrongPassword):
        await phone.account.adopt(ada.server, ada.email, PASSWORD, NEW_PASSWORD, **names)
    await laptop.account.logout(forget=True)
    # What this device remembers of the account is enough to send nothing.
    await caught(adopt(ada.server, ada.email, PASSWORD, NEW_PASSWORD, **names), AccountHasKeys)
    answer = await older._http.post("/auth/login", json={"email": ada.email, "password": OLD_PASSWORD})
    assert answer.status_code == 401


async def test_the_command_line_takes_an_account_over_and_shows_what_is_sealed(
    server: RunningServer, tmp_path: Path
) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
        older = Older(http, fresh_email())
        public_key = base64.b64encode(bytes(range(32))).decode()
        await older.sign_up("/auth/signup", encryption_tier="E2E", public_key=public_key)
        first = await older.write(**SENT)
    device = CommandLine(tmp_path / "home")
    place = ("--server", server.url, "--email", older.email)
    words = {"LOCKLEAF_PASSWORD": OLD_PASSWORD, "LOCKLEAF_NEW_PASSWORD": TYPED}
    device.run("adopt", *place, environment=words, code=2)
    made = device.run("adopt", *place, "--yes", "--json", environment=words).value()
    assert len(made["recovery_codes"]) == 10
    device.run("sync")
    (entry,) = device.run("list", "--json").values()
    assert (entry["id"], entry["foreign"]) == (first, SENT)
    assert "sealed by another application" in device.run("list").out
    told = device.run("show", first[:8]).out
    assert "Only that application can open it" in told
    assert "nonce: a field of its own" in told
    assert "sealed by another application" in device.run("list", "--remote").out
