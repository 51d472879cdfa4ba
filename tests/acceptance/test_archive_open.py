"""Reading an archive without a server: the file and a secret are all that is needed, and no seal is taken on trust."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

from lockleaf.client import Client, export_archive
from lockleaf.client.errors import ArchiveCodeUnknown, NotAnArchive, WrongPassword
from tests.acceptance.test_archive import worker
from tests.support.command_line import PASSWORD as TYPED
from tests.support.command_line import CommandLine, fresh_email
from tests.support.diarist import NEW_PASSWORD, PASSWORD, Diarist
from tests.support.exports import contents, front_and_text, read_journal
from tests.support.process import RunningServer

PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 500


async def kept(client: Client, folder: Path, home: Path, environment: dict[str, str]) -> Path:
    """A journal with all that one can have, at the server, and the archive of it."""
    photo = folder / "photo.jpg"
    photo.write_bytes(PHOTO)
    first = await client.journal.write(body="first words", title="A title", tags=["walk"], date="2026-11-20")
    await client.media.attach(first.id, photo)
    second = await client.journal.write(body="second", mood="calm", date="2026-11-21T10:00:00+01:00")
    gone = await client.journal.write(body="to be deleted", date="2026-11-22")
    await client.sync()
    await client.journal.edit(second.id, body="second, edited", metrics={"sleep": 7.5})
    await client.journal.delete(gone.id)
    await client.journal.recolor_tag("walk", "#123456")
    await client.sync()
    archive = folder / "mine.zip"
    with worker(home, environment):
        saved = await client.fetch_archive(archive)
    assert (saved.files, saved.missing) == (1, ())
    assert saved.size == archive.stat().st_size
    return archive


async def test_an_archive_gives_the_same_export_as_the_device(
    ada: Diarist, server_environment: dict[str, str], tmp_path: Path
) -> None:
    laptop = await ada.first()
    archive = await kept(laptop, tmp_path, tmp_path / "worker", server_environment)
    await laptop.export(tmp_path / "device", revisions=True)
    report = await export_archive(
        archive, tmp_path / "archive", password=PASSWORD, revisions=True, allow_test_parameters=True
    )
    assert (report.entries, report.attachments, report.missing) == (2, 1, ())
    one, two = (json.loads((tmp_path / name / "journal.json").read_bytes()) for name in ("device", "archive"))
    for journal in (one, two):
        for entry in journal["entries"]:
            # When a device made it, and when it reached the server, are two times.
            del entry["created_at"]
            entry["revisions"] = [
                (each["revision"], each["event"], each["verified"], each["entry"]["title"], each["entry"]["body"])
                for each in entry.get("revisions", ())
            ]
    assert one == two
    assert two["tags"] == [{"name": "walk", "color": "#123456"}]
    assert contents(tmp_path / "device" / "attachments") == contents(tmp_path / "archive" / "attachments")
    assert [each["revisions"][0][-1] for each in two["entries"] if each["revisions"]][-1] == "second"
    # What the archive holds of a deleted entry is its last text.
    deleted = await export_archive(
        archive, tmp_path / "all", password=PASSWORD, include_deleted=True, form="json", allow_test_parameters=True
    )
    assert deleted.entries == 3
    last = read_journal((tmp_path / "all" / "journal.json").read_bytes())[-1]
    assert (last["body"], last["deleted"]) == ("to be deleted", True)


async def test_a_recovery_code_opens_it_and_so_does_the_password_of_that_time_and_nothing_else(
    ada: Diarist, server_environment: dict[str, str], tmp_path: Path
) -> None:
    laptop = await ada.open("laptop")
    codes = await ada.register(laptop)
    archive = await kept(laptop, tmp_path, tmp_path / "worker", server_environment)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    by_code = await export_archive(archive, tmp_path / "code", recovery_code=codes[3].lower())
    assert by_code.is_complete
    assert by_code.entries == 2
    for secret, error in (
        ({"password": NEW_PASSWORD}, WrongPassword),
        ({"recovery_code": "00000-00000-00000-00000"}, ArchiveCodeUnknown),
        ({"recovery_code": "no code"}, ArchiveCodeUnknown),
    ):
        with pytest.raises(error):
            await export_archive(archive, tmp_path / "no", **secret, allow_test_parameters=True)  # type: ignore[arg-type]
    assert not (tmp_path / "no").exists()
    assert (await export_archive(archive, tmp_path / "old", password=PASSWORD, allow_test_parameters=True)).entries == 2


async def test_what_was_altered_in_an_archive_is_named_and_not_shown(
    ada: Diarist, server_environment: dict[str, str], tmp_path: Path
) -> None:
    laptop = await ada.first()
    archive = await kept(laptop, tmp_path, tmp_path / "worker", server_environment)
    entries = [json.loads(line) for line in lines_of(archive, "records.jsonl")]
    [first, second] = [each for each in entries if each["collection"] == "entries" and not each["deleted"]][:2]

    async def altered(number: int, name: str, change: Callable[[bytes], bytes | None]) -> Any:
        other = tmp_path / f"{number}.zip"
        rewritten(archive, other, name, change)
        folder = tmp_path / str(number)
        report = await export_archive(other, folder, password=PASSWORD, form="json", allow_test_parameters=True)
        return report, read_journal((folder / "journal.json").read_bytes(), folder)

    def exchanged(data: bytes) -> bytes:
        mark = json.dumps(first["payload"]).encode()
        return data.replace(json.dumps(second["payload"]).encode(), mark)

    report, shown = await altered(1, "records.jsonl", exchanged)
    assert [(each.kind, each.entry_id) for each in report.missing] == [("entry", second["record_id"])]
    assert [each["id"] for each in shown] == [first["record_id"]]

    [photo] = [name for name in zipfile.ZipFile(archive).namelist() if name.startswith("media/")]
    changes: tuple[Callable[[bytes], bytes | None], ...] = (
        lambda data: data[:-1],
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
        lambda _: b"",
        lambda _: None,
    )
    for number, change in enumerate(changes, 2):
        report, shown = await altered(number, photo, change)
        assert [each.kind for each in report.missing] == ["attachment"]
        assert len(shown) == 2


async def test_what_is_no_archive_is_refused(ada: Diarist, server_environment: dict[str, str], tmp_path: Path) -> None:
    laptop = await ada.first()
    archive = await kept(laptop, tmp_path, tmp_path / "worker", server_environment)
    half, text, other = (tmp_path / f"{name}.zip" for name in ("half", "text", "other"))
    half.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    text.write_text("no archive")
    with zipfile.ZipFile(other, "w") as another:
        another.writestr("a.txt", "a")
    newer, damaged, bomb = (tmp_path / f"{name}.zip" for name in ("newer", "damaged", "bomb"))
    rewritten(archive, newer, "manifest.json", lambda data: data.replace(b'"version":1', b'"version":2'))
    rewritten(archive, damaged, "records.jsonl", lambda data: data[:-20])
    rewritten(archive, bomb, "records.jsonl", lambda data: data + b" " * (80 * 1024 * 1024) + b"\n")
    for bad in (half, text, other, newer, damaged, bomb):
        with pytest.raises(NotAnArchive):
            await export_archive(bad, tmp_path / "out", password=PASSWORD, allow_test_parameters=True)
        assert not (tmp_path / "out").exists(), bad.name


def lines_of(archive: Path, name: str) -> list[bytes]:
    with zipfile.ZipFile(archive) as read:
        return read.read(name).splitlines()


def rewritten(archive: Path, to: Path, name: str, change: Callable[[bytes], bytes | None]) -> None:
    """Write an archive again with one of its files changed, or left out."""
    with zipfile.ZipFile(archive) as read, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as write:
        for each in read.namelist():
            data = change(read.read(each)) if each == name else read.read(each)
            if data is not None:
                write.writestr(each, data)


@pytest.mark.parametrize("custody", ["e2e", "uce"])
def test_the_command_saves_an_archive_with_its_files_and_reads_it_on_a_machine_without_a_profile(
    custody: str, server: RunningServer, server_environment: dict[str, str], tmp_path: Path
) -> None:
    device, photo = CommandLine(tmp_path / "home", "laptop"), tmp_path / "photo.jpg"
    photo.write_bytes(PHOTO)
    known = ["--server", server.url, "--email", fresh_email(), "--device-name", "laptop"]
    device.run("register", *known, *(["--custody", "uce"] if custody == "uce" else []))
    entry = device.run("write", "--date", "2026-11-21", "--json", "-", stdin=b"the words").value()
    device.run("attach", entry["id"], str(photo))
    device.run("sync")
    archive = tmp_path / "mine.zip"
    with worker(tmp_path, server_environment):
        saved = device.run("archive", str(archive), "--json").value()
        assert (saved["files"], saved["missing"]) == (1, [])

    nobody = CommandLine(tmp_path / "another-home", "nobody")
    nobody.run("archive", "open", str(archive), str(tmp_path / "out"))
    [file] = (tmp_path / "out" / "entries" / "2026").glob("*.md")
    assert front_and_text(file.read_bytes())[1] == "the words"
    [attached] = (tmp_path / "out" / "attachments").rglob("photo.jpg")
    assert attached.read_bytes() == PHOTO
    assert not (tmp_path / "another-home").exists()
    wrong = nobody.run(
        "archive", "open", str(archive), str(tmp_path / "no"), environment={"LOCKLEAF_PASSWORD": f"not {TYPED}"}, code=3
    )
    assert not (tmp_path / "no").exists()
    assert "password" in wrong.err


def test_plain_age_opens_an_attached_file_of_an_archive_with_the_identity_that_is_printed(
    server: RunningServer, server_environment: dict[str, str], tmp_path: Path
) -> None:
    device, photo = CommandLine(tmp_path / "home", "laptop"), tmp_path / "photo.jpg"
    photo.write_bytes(PHOTO)
    device.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "laptop")
    entry = device.run("write", "--json", "-", stdin=b"the words").value()
    device.run("attach", entry["id"], str(photo))
    device.run("sync")
    with worker(tmp_path, server_environment):
        device.run("archive", str(tmp_path / "mine.zip"))
    refused = device.run("keys", "identity", code=2)
    assert "AGE-SECRET-KEY-" not in refused.out + refused.err
    lines = device.run("keys", "identity", "--yes").out.splitlines()
    assert [line[:2] for line in lines] == ["# ", "# ", "AG"]
    [known] = device.run("keys", "identity", "--yes", "--json").value()
    assert known["identity"] == lines[-1]
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        [name] = [each for each in archive.namelist() if each.startswith("media/")]
        sealed = archive.read(name)
    assert pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(lines[-1])]) == PHOTO
