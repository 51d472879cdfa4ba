"""The journal of a device in plain text, without a server: what is in it, and what a second export does."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from lockleaf.client import Client, Entry, Progress
from lockleaf.client.errors import OtherExport
from lockleaf.client.journal.importers import read_jsonl
from tests.support.exports import contents, front_and_text, read_journal
from tests.support.offline_devices import offline_device


async def a_journal(client: Client, folder: Path) -> list[Entry]:
    """Entries with all that one can have, oldest first."""
    photo = folder / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff" + bytes(range(256)) * 100)
    first = await client.journal.write(
        body="\r\n---\nto the letter \n\n",
        title="no",
        mood="calm",
        weather="fog",
        location="on a pier",
        tags=["no", "a: b"],
        date="2026-11-20T23:30:00+01:00",
        time_zone="Europe/Berlin",
        metrics={"sleep": 7.5},
    )
    await client.media.attach(first.id, photo)
    await client.media.attach(first.id, photo, name="PHOTO.jpg")
    await client.journal.write(body="second", date="2026-11-21", source=None)
    return sorted(await client.journal.list(), key=lambda each: each.local_time)


def markdown_files(folder: Path) -> list[Path]:
    return sorted((folder / "entries").rglob("*.md"))


async def test_a_folder_has_a_file_for_each_entry_its_attachments_and_one_json_of_everything(tmp_path: Path) -> None:
    async with offline_device(tmp_path / "home") as (client, _):
        entries = await a_journal(client, tmp_path)
        told: list[Progress] = []
        folder = tmp_path / "out"
        report = await client.export(folder, progress=told.append)
    assert (report.entries, report.attachments, report.written, report.missing, report.left) == (2, 2, 5, (), ())
    assert report.is_complete
    assert [each for each in told if each.stage == "export"] == [Progress("export", 2, 2)]
    journal = read_journal((folder / "journal.json").read_bytes(), folder)
    assert [each["id"] for each in journal] == [each.id for each in entries]
    for file, entry, listed in zip(markdown_files(folder), entries, journal, strict=True):
        fields, text = front_and_text(file.read_bytes())
        assert text == entry.body == listed["body"]
        shown = {name: getattr(entry, name) for name in ("id", "date", "title", "mood", "weather", "location")}
        shown |= {"time_zone": entry.time_zone, "source": entry.source}
        assert {name: fields.get(name) for name in shown} == shown == {name: listed[name] for name in shown}
        assert fields.get("tags", []) == list(entry.tags) == listed["tags"]
        assert fields.get("metrics", {}) == dict(entry.metrics) == listed["metrics"]
        assert fields["updated_at"] == entry.updated_at.isoformat() == listed["updated_at"]
        ways = [(file.parent / each["file"]).resolve() for each in fields.get("attachments", [])]
        assert ways == [folder / each["file"] for each in listed["attachments"]]
    assert [Path(each["file"]).name for each in journal[0]["attachments"]] == ["photo.jpg", "PHOTO-2.jpg"]
    assert [each["name"] for each in journal[0]["attachments"]] == ["photo.jpg", "PHOTO.jpg"]


async def test_an_edit_changes_the_files_of_its_entry_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    async with offline_device(tmp_path / "home") as (client, _):
        first, second = await a_journal(client, tmp_path)
        await client.export(folder)
        before = contents(folder)
        await client.journal.edit(second.id, body="edited", title="now with a title")
        report = await client.export(folder)
        assert (report.written, report.unchanged, report.removed) == (2, 3, 0)
        after = contents(folder)
        assert before.keys() == after.keys()
        changed = {path for path in after if after[path] != before[path]}
        assert {Path(path).name for path in changed} == {
            "journal.json",
            "manifest.json",
            f"2026-11-21-{second.id[-12:]}.md",
        }
        lines = [(folder / "journal.json").read_bytes().splitlines(), before["journal.json"].splitlines()]
        assert sum(one != two for one, two in zip(*lines, strict=True)) == 1

        await client.journal.delete(first.id)
        report = await client.export(folder)
        assert (report.entries, report.removed) == (1, 3)
        assert {path.name for path in folder.iterdir() if path.is_dir()} == {".lockleaf-export", "entries"}
        assert await client.export(folder, include_deleted=True, force=True) != report
        deleted = [front_and_text(file.read_bytes())[0].get("deleted") for file in markdown_files(folder)]
        assert deleted == [True, None]


async def test_filters_choose_as_in_a_list_and_a_part_says_nothing_of_the_rest(tmp_path: Path) -> None:
    async with offline_device(tmp_path / "home") as (client, _):
        await a_journal(client, tmp_path)
        await client.journal.write(body="secret", tags=["private"], date="2026-11-22", mood="low")
        for asked in (
            {"since": "2026-11-21"},
            {"until": "2026-11-20"},
            {"tag": "NO"},
            {"mood": "Low"},
            {"source": "cli"},
        ):
            folder = tmp_path / "-".join(asked)
            await client.export(folder, form="json", **asked)  # type: ignore[arg-type]
            listed = await client.journal.list(**asked)  # type: ignore[arg-type]
            exported = [each["id"] for each in read_journal((folder / "journal.json").read_bytes(), folder)]
            assert sorted(exported) == sorted(each.id for each in listed)
        assert b"private" not in (tmp_path / "tag" / "journal.json").read_bytes()
        with pytest.raises(OtherExport):
            await client.export(tmp_path / "tag", form="json")
        everything = tmp_path / "all"
        await client.export(everything, form="json")
        tags = json.loads((everything / "journal.json").read_bytes())["tags"]
        assert [each["name"] for each in tags] == ["a: b", "no", "private"]


async def test_a_zip_file_holds_the_same(tmp_path: Path) -> None:
    async with offline_device(tmp_path / "home") as (client, _):
        await a_journal(client, tmp_path)
        await client.export(tmp_path / "out")
        await client.export(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        zipped = {name: archive.read(name) for name in archive.namelist()}
    hidden = {f".lockleaf-export/{name}" for name in ("lock", ".gitignore")}
    assert zipped == {path: data for path, data in contents(tmp_path / "out").items() if path not in hidden}


async def test_texts_that_were_replaced_here_are_among_the_revisions(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    async with offline_device(tmp_path / "home") as (client, _):
        entry = await client.journal.write(body="first", date="2026-11-21")
        await client.journal.edit(entry.id, body="second")
        await client.journal.edit(entry.id, body="third")
        report = await client.export(folder, revisions=True)
    assert report.revisions == 2
    files = sorted((folder / "revisions").rglob("*.md"))
    assert [file.name for file in files] == ["u0001.md", "u0002.md"]
    assert [front_and_text(file.read_bytes())[1] for file in files] == ["first", "second"]
    assert {front_and_text(file.read_bytes())[0]["revision_of"] for file in files} == {entry.id}
    [listed] = read_journal((folder / "journal.json").read_bytes(), folder)
    assert [each["entry"]["body"] for each in listed["revisions"]] == ["first", "second"]


async def test_an_attachment_that_cannot_be_had_is_named_and_the_rest_is_exported(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    async with offline_device(tmp_path / "home") as (client, device):
        first, _ = await a_journal(client, tmp_path)
        lost, kept = first.attachments
        (device.folder.media / f"{lost.media_id}.age").unlink()
        report = await client.export(folder)
        assert not report.is_complete
        [missing] = report.missing
        assert (missing.entry_id, missing.kind, missing.media_id) == (first.id, "attachment", lost.media_id)
        assert missing.reason
        listed = read_journal((folder / "journal.json").read_bytes(), folder)[0]["attachments"]
        assert [each["file"] is None for each in listed] == [True, False]
        [named, _] = front_and_text(markdown_files(folder)[0].read_bytes())[0]["attachments"]
        assert "file" not in named
        assert (report.entries, report.attachments) == (2, 1)
        assert kept.media_id == listed[1]["media_id"]


@pytest.mark.shared
async def test_a_diary_of_ten_years_is_exported_and_nothing_of_it_twice(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "pepys.jsonl.gz"
    folder = tmp_path / "out"
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        diary = sorted((each["date"], each["text"]) for each in map(json.loads, lines))
    async with offline_device(tmp_path / "home") as (client, _):
        await client.journal.import_entries(read_jsonl(source))
        report = await client.export(folder)
        assert (report.entries, report.written) == (3415, 3416)
        again = await client.export(folder)
        assert (again.written, again.unchanged, again.removed) == (0, 3416, 0)
    read = [front_and_text(file.read_bytes()) for file in markdown_files(folder)]
    assert sorted((fields["date"], text) for fields, text in read) == diary
    listed = read_journal((folder / "journal.json").read_bytes())
    assert sorted((each["date"], each["body"]) for each in listed) == diary


async def test_an_export_changes_nothing_in_the_journal_unless_it_is_to_be_noted(tmp_path: Path) -> None:
    async with offline_device(tmp_path / "home") as (client, device):
        first, second = await a_journal(client, tmp_path)
        before = await client.journal.pending_count()
        await client.export(tmp_path / "one", form="json")
        assert await client.journal.pending_count() == before
        assert await client.history(second.id, offline=True) == ()
        await client.export(tmp_path / "two", form="json", since="2026-11-21", note=True)
        assert await client.journal.pending_count() == before + 1
        [event] = await client.history(second.id, offline=True)
        assert (event.event, event.number, event.entry, event.device_id) == ("exported", "", None, "device")
        assert await client.history(first.id, offline=True) == ()
        for _ in range(25):
            await client.export(tmp_path / "three", form="json", note=True)
        assert len(await client.history(first.id, offline=True, limit=100)) == 20
        assert device.opened.store.records.pending_count() == before + 1
