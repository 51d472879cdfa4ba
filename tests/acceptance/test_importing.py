"""Importing with the installed command: a journal with files goes to the other device, is known there, and says so."""

from __future__ import annotations

from pathlib import Path

from lockleaf.wire.media import MediaList
from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.journals.dayone import DayOneFile, entry, write_dayone
from tests.support.journals.pictures import jpeg
from tests.support.process import RunningServer


async def test_a_journal_with_files_reaches_the_other_device_which_knows_it_too(
    server: RunningServer, tmp_path: Path
) -> None:
    laptop, email = CommandLine(tmp_path / "home", "laptop"), fresh_email()
    laptop.run("register", "--server", server.url, "--email", email, "--device-name", "laptop")
    photo = DayOneFile("photos", jpeg(1), "jpeg", filename="river.jpeg")
    made = [entry(photo.link, "2020-01-01T00:00:00Z", photo), entry("x", "no date")]
    export = write_dayone(tmp_path / "e.zip", {"Journal": made}, [photo])

    dry = laptop.run("import", "--dry-run", str(export), "--json", code=9).value()
    assert (dry["format"], dry["dry_run"], dry["added"], dry["files"]) == ("dayone", True, 1, 1)
    report = laptop.run("import", str(export), "--json", code=9).value()
    assert (report["added"], report["files"], [each["place"] for each in report["skipped"]]) == (
        1, 1, ["Journal.json, entry 2"],
    )  # fmt: skip
    again = laptop.run("import", str(export), code=9)
    assert "0 entries added, 1 was here already." in again.out
    assert "Not imported: Journal.json, entry 2: invalid date" in again.err

    async with await laptop.client() as one, await CommandLine(tmp_path / "home", "phone").client() as two:
        await one.sync()
        await two.account.login(server.url, email, PASSWORD, device_name="phone", allow_weak_kdf=True)
        await two.sync()
        known = await two.journal.import_from(export)
        assert (known.added, known.present, known.files) == (0, 1, 0)
        (imported,) = await two.journal.list()
        saved = await two.media.download(imported.attachments[0].media_id, tmp_path / "saved.jpeg")
        assert saved.read_bytes() == photo.data
        changed = write_dayone(tmp_path / "e.zip", {"Journal": [made[0] | {"tags": ["late"]}]}, [photo])
        assert (await one.journal.import_from(changed, update=True)).updated == 1
        await one.sync()
        await one.journal.edit(imported.id, body="edited here")
        await one.sync()
        assert [each.event for each in await one.history(imported.id)] == ["updated", "imported", "imported"]
        assert (await one.revision(imported.id, "2")).event == "imported"


async def test_two_devices_that_import_the_same_at_once_have_one_entry_and_one_of_each_file(
    server: RunningServer, tmp_path: Path
) -> None:
    laptop, email = CommandLine(tmp_path / "home", "laptop"), fresh_email()
    laptop.run("register", "--server", server.url, "--email", email, "--device-name", "laptop")
    photos = [DayOneFile("photos", jpeg(number), "jpeg", filename=f"river {number}.jpeg") for number in range(3)]
    made = [
        entry(f"{photos[0].link} and {photos[1].link}", "2020-01-01T00:00:00Z", *photos[:2]),
        entry(photos[2].link, "2020-01-02T00:00:00Z", photos[2]),
        entry("no file", "2020-01-03T00:00:00Z"),
    ]
    export = write_dayone(tmp_path / "e.zip", {"Journal": made}, photos)
    async with await laptop.client() as one, await CommandLine(tmp_path / "home", "phone").client() as two:
        await one.sync()
        await two.account.login(server.url, email, PASSWORD, device_name="phone", allow_weak_kdf=True)
        await two.sync()
        assert [(await each.journal.import_from(export)).added for each in (one, two)] == [3, 3]
        for device in (one, two, one, two):
            await device.sync()
        for device in (one, two):
            assert await device.journal.conflicts() == []
            entries = await device.journal.list()
            assert [len(each.attachments) for each in entries] == [0, 1, 2]
            assert await device.media.pending_count() == 0
            for number, file in enumerate(each for entry in reversed(entries) for each in entry.attachments):
                saved = await device.media.download(file.media_id, tmp_path / f"{number}-{id(device)}.jpeg")
                assert saved.read_bytes() == photos[number].data
        files = [each for entry in await one.journal.list() for each in entry.attachments]
        named = {each.media_id for each in files} | {each.thumbnail.media_id for each in files if each.thumbnail}
        listed = await one._device.session.transport.request("GET", "/media", answer=MediaList)
        assert {str(each.id) for each in listed.items if each.deleted_at is None} == named


async def test_in_a_uce_account_too_the_history_says_which_revision_came_by_an_import(
    server: RunningServer, tmp_path: Path
) -> None:
    laptop = CommandLine(tmp_path / "home", "laptop")
    laptop.run("register", "--server", server.url, "--email", fresh_email(), "--custody", "uce")
    file = tmp_path / "old.jsonl"
    file.write_text('{"id": "one", "date": "2020-01-01", "text": "from elsewhere"}\n')
    laptop.run("import", str(file))
    laptop.run("sync")
    (imported,) = laptop.run("list", "--json").values()
    file.write_text('{"id": "one", "date": "2020-01-01", "text": "from elsewhere, changed there"}\n')
    laptop.run("import", "--update", str(file))
    laptop.run("sync")
    async with await laptop.client() as client:
        await client.journal.edit(imported["id"], mood="calm")
        await client.sync()
        assert [each.event for each in await client.history(imported["id"])] == ["updated", "imported", "imported"]
