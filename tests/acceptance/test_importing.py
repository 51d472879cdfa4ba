"""Importing with the installed command: a journal with files goes to the other device, is known there, and says so."""

from __future__ import annotations

from pathlib import Path

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
    assert "0 entries added, 1 were here already." in again.out
    assert "Not imported: Journal.json, entry 2: invalid date" in again.err

    async with await laptop.client() as one, await CommandLine(tmp_path / "home", "phone").client() as two:
        await one.sync()
        await two.account.login(server.url, email, PASSWORD, device_name="phone")
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
