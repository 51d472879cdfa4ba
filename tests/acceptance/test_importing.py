"""Importing with the installed command: a journal with files goes to the other device, is known there, and says so."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import CommandLine, fresh_email
from tests.support.journals.dayone import DayOneFile, entry, write_dayone
from tests.support.journals.pictures import jpeg
from tests.support.process import RunningServer


def test_a_journal_with_files_reaches_the_other_device_which_knows_it_too(
    server: RunningServer, tmp_path: Path
) -> None:
    laptop, email = CommandLine(tmp_path / "home", "laptop"), fresh_email()
    laptop.run("register", "--server", server.url, "--email", email, "--device-name", "laptop")
    phone = CommandLine(tmp_path / "home", "phone")
    phone.run("login", "--server", server.url, "--email", email, "--device-name", "phone")
    photo = DayOneFile("photos", jpeg(1), "jpeg", filename="river.jpeg")
    made = [entry(photo.link, "2020-01-01T00:00:00Z", photo), entry("x", "no date")]
    export = write_dayone(tmp_path / "e.zip", {"Journal": made}, [photo])

    dry = laptop.run("import", "--dry-run", str(export), "--json", code=9).value()
    assert (dry["format"], dry["dry_run"], dry["added"], dry["files"]) == ("dayone", True, 1, 1)
    assert laptop.run("list", "--all", "--json").values() == []
    report = laptop.run("import", str(export), "--json", code=9).value()
    assert (report["added"], report["files"], [each["place"] for each in report["skipped"]]) == (
        1, 1, ["Journal.json, entry 2"],
    )  # fmt: skip
    laptop.run("sync")
    phone.run("sync")
    again = phone.run("import", str(export), "--json", code=9).value()
    assert (again["added"], again["present"], again["files"]) == (0, 1, 0)
    (imported,) = phone.run("list", "--all", "--json").values()
    saved = phone.run("open", imported["id"], "--output", str(tmp_path / "saved.jpeg"))
    assert (tmp_path / "saved.jpeg").read_bytes() == photo.data, saved

    laptop.run("edit", imported["id"], "edited here")
    laptop.run("sync")
    events = [each["event"] for each in laptop.run("history", imported["id"], "--json").values()]
    assert events == ["updated", "imported"]
    person = phone.run("import", str(export), code=9)
    assert "0 entries added, 1 were here already." in person.out
    assert "Not imported: Journal.json, entry 2: invalid date" in person.err
