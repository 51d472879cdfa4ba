"""Exports of a journal whose files and revisions are at the server, by the SDK and by the command line."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from lockleaf.client import Client
from tests.support.command_line import CommandLine, fresh_email
from tests.support.diarist import Diarist
from tests.support.exports import contents, front_and_text, read_journal
from tests.support.process import RunningServer
from tests.support.storage_proxy import Passing, StorageProxy, answer

PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 4000


def away(_: Passing) -> bytes:
    """Answer as a proxy does whose server is away."""
    return answer(502)


async def with_a_photo(client: Client, folder: Path) -> str:
    photo = folder / "photo.jpg"
    photo.write_bytes(PHOTO)
    entry = await client.journal.write(body="first words", date="2026-11-21")
    await client.media.attach(entry.id, photo)
    await client.sync()
    return entry.id


async def test_what_only_the_server_has_is_fetched_once(eve: Diarist, wire: StorageProxy, tmp_path: Path) -> None:
    laptop, phone = await eve.first(at=wire.url), await eve.another(at=wire.url)
    await with_a_photo(laptop, tmp_path)
    await phone.sync()
    folder = tmp_path / "out"
    report = await phone.export(folder)
    assert (report.is_complete, report.attachments) == (True, 1)
    [entry] = read_journal((folder / "journal.json").read_bytes(), folder)
    assert (folder / entry["attachments"][0]["file"]).read_bytes() == PHOTO

    wire.refuse = away
    again = await phone.export(folder)
    assert (again.is_complete, again.attachments, again.written) == (True, 1, 0)
    elsewhere = await phone.export(tmp_path / "elsewhere")
    assert [each.name for each in elsewhere.missing] == ["photo.jpg"]
    assert elsewhere.entries == 1


async def test_earlier_revisions_come_from_the_server_and_stay_while_it_is_away(
    eve: Diarist, wire: StorageProxy, tmp_path: Path
) -> None:
    laptop = await eve.first(at=wire.url)
    entry_id = await with_a_photo(laptop, tmp_path)
    for body in ("second words", "third words"):
        await laptop.journal.edit(entry_id, body=body)
        await laptop.sync()
    folder = tmp_path / "out"
    report = await laptop.export(folder, revisions=True)
    files = sorted((folder / "revisions").rglob("*.md"))
    read = [front_and_text(file.read_bytes()) for file in files]
    bodies = [text for _, text in read]
    assert (bodies[0], bodies[-1]) == ("first words", "second words")
    assert all(fields["verified"] for fields, _ in read)
    assert report.revisions == len(files)
    [entry] = read_journal((folder / "journal.json").read_bytes(), folder)
    assert [each["entry"]["body"] for each in entry["revisions"]] == bodies

    before = contents(folder / "revisions")
    wire.refuse = away
    meanwhile = await laptop.export(folder, revisions=True)
    assert [(each.kind, each.entry_id) for each in meanwhile.missing] == [("revisions", entry_id)]
    assert contents(folder / "revisions") == before
    wire.behave()
    assert (await laptop.export(folder, revisions=True)).is_complete
    assert contents(folder / "revisions") == before


def registered(server: RunningServer, home: Path) -> CommandLine:
    device = CommandLine(home, "laptop")
    device.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "laptop")
    return device


def test_the_command_exports_says_that_it_is_plain_text_and_leaves_what_is_not_its_own(
    server: RunningServer, tmp_path: Path
) -> None:
    device, folder = registered(server, tmp_path / "home"), tmp_path / "out"
    device.run("write", "--title", "A title", "--date", "2026-11-21", "-", stdin=b"the words")
    first = device.run("export", str(folder))
    assert first.out == f"Exported 1 entry to {folder}.\n"
    assert "plain text" in first.err
    folder.chmod(0o755)
    [file] = (folder / "entries" / "2026").iterdir()
    file.write_text(file.read_text() + "edited\n")
    left = device.run("export", str(folder), "--quiet", code=5)
    assert file.name in left.err
    assert "chmod" in left.err
    told = device.run("export", str(folder), "--force", "--json").value()
    assert (told["entries"], told["written"], told["left"], told["missing"]) == (1, 1, [], [])
    assert front_and_text(file.read_bytes())[1] == "the words"

    zipped = tmp_path / "out.zip"
    device.run("export", str(zipped))
    assert "--force" in device.run("export", str(zipped), "--json", code=5).error()["message"]
    assert device.run("export", str(folder), "--format", "json", "--json", code=5).error()["name"] == "OtherExport"
    assert "No such file" in device.run("export", str(tmp_path / "no" / "out.zip"), code=8).err


def test_an_attachment_that_cannot_be_fetched_shows_in_the_exit_code(server: RunningServer, tmp_path: Path) -> None:
    device, photo = registered(server, tmp_path / "home"), tmp_path / "photo.jpg"
    photo.write_bytes(PHOTO)
    entry = device.run("write", "--json", "-", stdin=b"with a photo").value()
    device.run("attach", entry["id"], str(photo))
    [staged] = (tmp_path / "home").rglob("*.age")
    staged.rename(tmp_path / "elsewhere")
    missing = device.run("export", str(tmp_path / "out"), code=6)
    assert "photo.jpg" in missing.err
    (tmp_path / "elsewhere").rename(staged)
    assert device.run("export", str(tmp_path / "out"), "--json").value()["attachments"] == 1


def test_an_export_that_was_killed_goes_on(server: RunningServer, tmp_path: Path) -> None:
    device, folder = registered(server, tmp_path / "home"), tmp_path / "out"
    lines = [json.dumps({"date": f"2026-01-{day:02}", "text": "words " * 3000}) + "\n" for day in range(1, 29)]
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(line.replace("words", f"words{part}", 1) for part in range(40) for line in lines))
    device.run("import", str(journal))
    with device.start("export", str(folder), "--json") as process:
        first = folder / "entries"
        while not first.exists() and process.poll() is None:
            os.sched_yield()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    whole = [front_and_text(path.read_bytes())[1] for path in first.rglob("*.md")]
    assert 0 < len(whole) < 28 * 40
    assert set(whole) <= {json.loads(line)["text"] for line in journal.read_text().splitlines()}
    told = device.run("export", str(folder), "--json").value()
    assert (told["entries"], told["left"]) == (28 * 40, [])
    assert told["unchanged"] >= len(whole)
    assert not list(folder.rglob("*.part"))
