"""A journal with files, imported into a store: whole, once, and whatever happens in between."""

from __future__ import annotations

import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lockleaf.client import Client
from lockleaf.client.device.device import Device
from lockleaf.client.errors import ImportRefused
from lockleaf.client.journal.import_report import ImportReport
from lockleaf.client.journal.importers import ImportOptions
from lockleaf.client.journal.importers.archives import opened_container
from lockleaf.client.journal.importers.dayone import DayOne
from lockleaf.client.journal.journal import Journal
from lockleaf.client.records.progress import Progress
from lockleaf.client.store import LocalStore
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.content import MAX_ATTACHMENTS
from tests.support.journals.dayone import DayOneFile, entry, write_dayone
from tests.support.journals.pictures import MP4, PDF, jpeg, png
from tests.support.offline_devices import offline_device


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[tuple[Client, Device]]:
    async with offline_device(tmp_path / "home") as made:
        yield made


@pytest.fixture
def client(device: tuple[Client, Device]) -> Client:
    return device[0]


def told(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.present, report.updated, report.files


def reasons(report: ImportReport, kind: str) -> list[str]:
    return [each.reason for each in report.of(kind)]


async def opened(client: Client, folder: Path) -> dict[str, bytes]:
    """The bytes of every attachment here, by its name."""
    found = {}
    for each in await client.media.list():
        saved = await client.media.download(each.attachment.media_id, folder / each.attachment.media_id)
        found[each.attachment.name] = saved.read_bytes()
    return found


def sealed(device: tuple[Client, Device]) -> int:
    return len(list(device[1].folder.media.glob("*.age")))


async def test_a_journal_with_files_comes_in_once_and_its_files_open(
    device: tuple[Client, Device], tmp_path: Path
) -> None:
    client = device[0]
    photo, film = DayOneFile("photos", jpeg(1), "jpeg", filename="river.jpeg"), DayOneFile("videos", MP4, "mp4")
    made = [entry(f"{photo.link} {film.link}", "2020-01-01T00:00:00Z", photo, film), entry("no file")]
    export = write_dayone(tmp_path / "e.zip", {"Journal": made}, [photo, film])
    seen: list[Progress] = []
    report = await client.journal.import_from(export, seen.append)
    assert (told(report), report.remarks, report.importer) == ((2, 0, 0, 2), (), "dayone")
    assert seen[-1] == Progress("import", 2, 2)
    kept = await client.journal.list()
    assert {each.body for each in kept} == {
        f"![](attachment:river.jpeg) [](attachment:{film.md5}.mp4)", "no file",
    }  # fmt: skip
    assert await opened(client, tmp_path) == {"river.jpeg": photo.data, f"{film.md5}.mp4": MP4}
    assert [each.attachment.thumbnail is not None for each in await client.media.list()] == [True, False]
    assert sealed(device) == 3
    again = await client.journal.import_from(export)
    assert (told(again), again.remarks) == ((0, 2, 0, 0), ())
    assert sealed(device) == 3
    assert {each.source for each in kept} == {"dayone"}


async def test_a_dry_run_says_what_would_come_and_writes_nothing(device: tuple[Client, Device], tmp_path: Path) -> None:
    client = device[0]
    photo = DayOneFile("photos", jpeg(1), "jpeg")
    made = [entry(photo.link, "2020-01-01T00:00:00Z", photo), entry("x", "no date")]
    export = write_dayone(tmp_path / "e.zip", {"Journal": made}, [photo])
    report = await client.journal.import_from(export, dry_run=True)
    assert (told(report), len(report.of("skipped")), report.dry_run) == ((1, 0, 0, 1), 1, True)
    assert (await client.journal.list(), sealed(device)) == ([], 0)
    assert told(await client.journal.import_from(export)) == told(report)
    changed = write_dayone(tmp_path / "e.zip", {"Journal": [made[0] | {"text": "changed"}]}, [photo])
    report = await client.journal.import_from(changed, dry_run=True, update=True)
    assert told(report) == (0, 0, 1, 0)
    assert [each.body for each in await client.journal.list()] == [f"![](attachment:{photo.md5}.jpeg)"]


async def test_what_changed_in_the_source_is_offered_and_taken_when_asked_for(client: Client, tmp_path: Path) -> None:
    one, two = DayOneFile("photos", jpeg(1), "jpeg"), DayOneFile("photos", jpeg(2), "jpeg")
    first = entry("the text", "2020-01-01T00:00:00Z", one)
    write_dayone(tmp_path / "e.zip", {"Journal": [first]}, [one])
    await client.journal.import_from(tmp_path / "e.zip")
    more = first | {"photos": [one.listed(), two.listed()]}
    write_dayone(tmp_path / "e.zip", {"Journal": [more]}, [one, two])
    report = await client.journal.import_from(tmp_path / "e.zip")
    assert (told(report), reasons(report, "differs")) == ((0, 0, 0, 0), ["there it has 1 more file"])
    report = await client.journal.import_from(tmp_path / "e.zip", update=True)
    assert (told(report), report.is_complete) == ((0, 0, 1, 1), True)
    write_dayone(tmp_path / "e.zip", {"Journal": [more | {"text": "the text, corrected"}]}, [one, two])
    assert told(await client.journal.import_from(tmp_path / "e.zip", update=True)) == (0, 0, 1, 0)
    (kept,) = await client.journal.list()
    assert (kept.body, len(kept.attachments)) == ("the text, corrected", 2)


async def test_a_file_that_was_taken_off_here_does_not_come_back(client: Client, tmp_path: Path) -> None:
    photo = DayOneFile("photos", jpeg(1), "jpeg")
    export = write_dayone(tmp_path / "e.zip", {"Journal": [entry("x", "2020-01-01T00:00:00Z", photo)]}, [photo])
    await client.journal.import_from(export)
    ((listed),) = await client.media.list()
    await client.media.delete(listed.attachment.media_id)
    assert told(await client.journal.import_from(export, update=True)) == (0, 1, 0, 0)
    assert await client.media.list() == []


async def test_what_was_imported_before_a_rotation_is_known_after_it_with_its_files(
    device: tuple[Client, Device], tmp_path: Path
) -> None:
    client = device[0]
    photo = DayOneFile("photos", jpeg(1), "jpeg")
    export = write_dayone(tmp_path / "e.zip", {"Journal": [entry("x", "2020-01-01T00:00:00Z", photo)]}, [photo])
    await client.journal.import_from(export)
    store = device[1].opened.store
    store.rekey(store.keyring.rotated("2026-06-01T00:00:00Z", HistoryPlace("epoch", 7, bytes(32))))
    assert told(await client.journal.import_from(export)) == (0, 1, 0, 0)


async def test_missing_empty_damaged_and_misnamed_files_cost_themselves(
    device: tuple[Client, Device], tmp_path: Path
) -> None:
    client = device[0]
    good, misnamed = DayOneFile("photos", jpeg(1), "jpeg"), DayOneFile("photos", png(2), "jpeg")
    empty, gone = DayOneFile("photos", b"", "jpeg"), DayOneFile("photos", jpeg(3), "jpeg", missing=True)
    damaged = DayOneFile("pdfAttachments", PDF + os.urandom(5000), "pdf")
    files = (good, misnamed, empty, gone, damaged)
    export = write_dayone(tmp_path / "e.zip", {"Journal": [entry("x", "2020-01-01T00:00:00Z", *files)]}, files)
    with zipfile.ZipFile(export) as archive:
        at = archive.getinfo(damaged.member).header_offset + 2000
    data = bytearray(export.read_bytes())
    data[at] ^= 0xFF
    export.write_bytes(data)
    report = await client.journal.import_from(export)
    assert told(report) == (1, 0, 0, 2)
    assert sorted(reasons(report, "skipped")) == sorted(
        [
            f"the file {empty.md5}.jpeg: it is empty",
            f"the file {damaged.md5}.pdf: it is damaged",
            f"the file {gone.md5}.jpeg: it is not in the archive",
        ]
    )
    assert reasons(report, "changed") == [f"the file {misnamed.md5}.jpeg is image/png, whatever its name says"]
    types = {each.attachment.name: each.attachment.media_type for each in await client.media.list()}
    assert types == {f"{good.md5}.jpeg": "image/jpeg", f"{misnamed.md5}.jpeg": "image/png"}
    assert sealed(device) == 4  # two photos and a small picture of each: nothing is left of the damaged one
    assert told(await client.journal.import_from(export, update=True)) == (0, 1, 0, 0)


async def test_more_files_than_an_entry_can_have_are_named(client: Client, tmp_path: Path) -> None:
    files = [DayOneFile("pdfAttachments", PDF + bytes([number]), "pdf") for number in range(MAX_ATTACHMENTS + 2)]
    export = write_dayone(tmp_path / "e.zip", {"Journal": [entry("x", "2020-01-01T00:00:00Z", *files)]}, files)
    report = await client.journal.import_from(export)
    assert (told(report), len(report.of("skipped"))) == ((1, 0, 0, MAX_ATTACHMENTS), 2)


async def test_one_id_for_two_entries_with_files_is_two_entries_each_with_its_own(
    client: Client, tmp_path: Path
) -> None:
    one, two = DayOneFile("photos", jpeg(1), "jpeg"), DayOneFile("photos", jpeg(2), "jpeg")
    made = [
        entry("first", "2020-01-01T00:00:00Z", one) | {"uuid": "SAME"},
        entry("second", "2020-01-01T00:00:00Z", two) | {"uuid": "SAME"},
    ]
    for order in (made, made[::-1]):
        export = write_dayone(tmp_path / "e.zip", {"Journal": order}, [one, two])
        report = await client.journal.import_from(export)
    assert told(report) == (0, 2, 0, 0)
    kept = {each.body: [file.name for file in each.attachments] for each in await client.journal.list()}
    assert kept == {"first": [f"{one.md5}.jpeg"], "second": [f"{two.md5}.jpeg"]}


async def test_what_is_no_journal_is_refused_and_nothing_comes_in(client: Client, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(os.urandom(1000))
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "noise", tmp_path / "folder", tmp_path / "absent"):
        with pytest.raises(ImportRefused):
            await client.journal.import_from(path)
    with pytest.raises(ImportRefused, match="There is no format"):
        await client.journal.import_from(tmp_path / "folder", importer="word")


async def test_links_in_an_archive_are_named_beside_what_comes_in(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / "2026-11-21.md").write_text("![[secret.jpg]]")
    (folder / "secret.jpg").symlink_to(tmp_path / "secret.jpg")
    (tmp_path / "secret.jpg").write_bytes(jpeg(1))
    report = await client.journal.import_from(folder)
    assert told(report) == (1, 0, 0, 0)
    assert sorted(each.place for each in report.of("skipped")) == ["2026-11-21.md", "secret.jpg"]


async def test_entries_without_a_place_for_files_come_without_them_and_it_is_said(tmp_path: Path) -> None:
    photo = DayOneFile("photos", jpeg(1), "jpeg")
    export = write_dayone(tmp_path / "e.zip", {"Journal": [entry("x", "2020-01-01T00:00:00Z", photo)]}, [photo])
    source = opened_container(export)
    with LocalStore.create(tmp_path / "store.sqlite3", Keyring.new("2026-01-01T00:00:00Z")) as store:
        report = await Journal(store).import_entries(DayOne().read(source, ImportOptions()))
    source.close()
    assert told(report) == (1, 0, 0, 0)
    assert reasons(report, "skipped") == [f"the file {photo.md5}.jpeg: files are not imported here"]
