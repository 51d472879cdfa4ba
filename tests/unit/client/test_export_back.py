"""What was exported comes back: into the same journal without a second of anything, into another one as it was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from lockleaf.client import Client, EditConflict, Entry
from lockleaf.client.journal.exporters.text_links import target_of
from lockleaf.client.journal.importers import read_jsonl
from tests.support.exports import read_journal
from tests.support.offline_devices import offline_device

FORMS = [("markdown", "out"), ("markdown", "out.zip"), ("json", "out"), ("json", "out.zip"), ("dayone", "out.zip")]


@pytest.fixture
async def homes(tmp_path: Path) -> AsyncIterator[Any]:
    """Makes devices, each of an account of its own."""
    async with AsyncExitStack() as stack:

        async def made(name: str) -> Client:
            client, _ = await stack.enter_async_context(offline_device(tmp_path / name))
            return client

        yield made


async def written(client: Client, folder: Path) -> None:
    """Entries with all that one can have, and texts that are hard to bring back."""
    photo, page = folder / "photo.jpg", folder / "a page.pdf"
    photo.write_bytes(b"\xff\xd8\xff" + bytes(range(256)) * 100)
    page.write_bytes(b"%PDF-1.7 " + bytes(range(256)))
    first = await client.journal.write(
        body=f"\r\n---\n![the sea]({target_of('photo.jpg')}) to the letter\n\n<!-- attachments -->\n\n",
        title="no",
        mood="calm",
        weather="fog",
        location="on a pier",
        tags=["no", "starred", "a: b"],
        date="2026-11-20T23:30:00+01:00",
        time_zone="Europe/Berlin",
        metrics={"sleep": 7.5, "on": 1e-07},
    )
    for file, name in ((photo, None), (page, None), (photo, "PHOTO.jpg"), (photo, "no type")):
        await client.media.attach(first.id, file, name=name)
    await client.journal.write(body="a day", date="1660-01-11", source=None, time_zone="Pacific/Kiritimati")
    for body in ("", "\n", "\ufeff\x00\x1b[31m\u2028\u202e", "no end", "# a heading\n#tag ![[x.jpg]] [y](z.jpg)"):
        await client.journal.write(body=body, date="2026-11-21T10:00:00")
    await client.journal.edit(first.id, mood="calmer")
    edited = await client.journal.write(body="one", date="2026-11-22")
    await client.journal.edit(edited.id, body="two", title="second")
    await client.journal.edit(edited.id, body="three")


def told(entry: Entry) -> dict[str, Any]:
    """All that an entry is, whichever account it is in."""
    names = ("id", "date", "title", "body", "mood", "weather", "location", "tags", "time_zone", "source", "deleted")
    facts = {name: getattr(entry, name) for name in names}
    files = sorted((each.name, each.media_type, each.size, each.sha256) for each in entry.attachments)
    return {**facts, "metrics": dict(entry.metrics), "files": files, "updated_at": entry.updated_at}


async def all_of(client: Client) -> list[dict[str, Any]]:
    return [told(entry) for entry in await client.journal.list(include_deleted=True)]


@pytest.mark.parametrize(("form", "name"), FORMS)
async def test_everything_comes_back_and_nothing_twice(homes: Any, tmp_path: Path, form: Any, name: str) -> None:
    one, path = await homes("one"), tmp_path / name
    await written(one, tmp_path)
    exported = await one.export(path, form=form, revisions=True)
    assert exported.is_complete
    before = await one.journal.list(include_deleted=True)

    same = await one.journal.import_from(path)
    assert same.importer == ("dayone" if form == "dayone" else "lockleaf")
    assert (same.added, same.updated, same.present, same.remarks) == (0, 0, exported.entries, ())
    assert await one.journal.list(include_deleted=True) == before
    assert (await one.journal.import_from(path, update=True)).updated == 0
    assert await one.journal.list(include_deleted=True) == before

    two = await homes("two")
    report = await two.journal.import_from(path)
    assert (report.added, report.files, report.remarks) == (exported.entries, 4, ())
    assert await all_of(two) == await all_of(one)
    again = await two.journal.import_from(path)
    assert (again.added, again.updated, again.present, again.remarks) == (0, 0, exported.entries, ())

    assert await earlier(two) == await earlier(one)


async def earlier(client: Client) -> dict[str, list[Any]]:
    """What each entry said before, and until when."""
    found = {}
    for entry in await client.journal.list():
        texts = await client.history(entry.id, offline=True)
        found[entry.id] = [(each.entry.title, each.entry.body, each.at) for each in texts if each.entry is not None]
    return found


@pytest.mark.parametrize(("form", "written_anew"), [("markdown", None), ("json", None), ("json", 0), ("markdown", 4)])
async def test_a_version_that_waited_for_a_decision_comes_back_as_an_earlier_text(
    homes: Any, tmp_path: Path, form: Any, written_anew: int | None
) -> None:
    mine, yours = [await homes(name) for name in ("mine", "yours")]
    entry = await mine.journal.write(body="as it was\n", date="2026-11-20")
    await mine.journal.edit(entry.id, body="one way\n")
    with pytest.raises(EditConflict):
        await mine.journal.edit(entry.id, base=entry, body="another way\n")
    await mine.export(tmp_path / "out", form=form)
    if written_anew is not None:
        file = tmp_path / "out" / "journal.json"
        file.write_text(json.dumps(json.loads(file.read_bytes()), indent=written_anew))
    assert (await mine.journal.import_from(tmp_path / "out")).present == 1
    for _ in range(2):
        await yours.journal.import_from(tmp_path / "out")
        assert [each.body for each in await yours.journal.list()] == ["one way\n"]
        texts = yours._device.opened.store.earlier.of_record(entry.id)
        assert [each.doc.content["body"] for each in texts] == ["another way\n"]
    assert await yours.journal.conflicts() == []


async def test_deleted_entries_come_back_deleted(homes: Any, tmp_path: Path) -> None:
    one, two = await homes("one"), await homes("two")
    await written(one, tmp_path)
    [*_, last] = await one.journal.list()
    await one.journal.delete(last.id)
    await one.export(tmp_path / "out", include_deleted=True)
    assert (await one.journal.import_from(tmp_path / "out")).added == 0
    assert (await two.journal.import_from(tmp_path / "out")).remarks == ()
    assert [each["deleted"] for each in await all_of(two)].count(True) == 1
    assert await all_of(two) == await all_of(one)


async def test_an_edit_of_a_file_is_offered_and_becomes_one_of_the_entry(homes: Any, tmp_path: Path) -> None:
    one = await homes("one")
    entry = await one.journal.write(body="words", date="2026-11-21", tags=["walk"])
    await one.export(tmp_path / "out")
    [file] = (tmp_path / "out" / "entries").rglob("*.md")
    file.write_text(file.read_text().replace("words", "other words").replace('- "walk"', '- "walk"\n  - run'))
    offered = await one.journal.import_from(tmp_path / "out")
    assert [each.kind for each in offered.remarks] == ["differs"]
    taken = await one.journal.import_from(tmp_path / "out", update=True)
    assert (taken.updated, taken.remarks) == (1, ())
    now = await one.journal.get(entry.id)
    assert (now.body, now.tags) == ("other words", ("walk", "run"))
    # And now the file is what the export would write, but for the time of the edit.
    assert (await one.export(tmp_path / "out", force=True)).left == ()


async def test_line_ends_that_version_control_changed_are_no_edit(homes: Any, tmp_path: Path) -> None:
    one = await homes("one")
    await one.journal.write(body="two\nlines\n", date="2026-11-21")
    await one.export(tmp_path / "out")
    [file] = (tmp_path / "out" / "entries").rglob("*.md")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    report = await one.journal.import_from(tmp_path / "out")
    assert (report.present, report.remarks) == (1, ())


async def test_files_that_are_no_entries_and_damaged_ones_are_named(homes: Any, tmp_path: Path) -> None:
    one, two = await homes("one"), await homes("two")
    await written(one, tmp_path)
    out = tmp_path / "out"
    await one.export(out)
    (out / "README.md").write_text("mine")
    (out / "entries" / "2026" / "note.md").write_text("a note of my own")
    (out / "entries" / "2026" / "half.md").write_text('---\nlockleaf: 1\nid: "x')
    [photo] = (out / "attachments").rglob("photo.jpg")
    photo.unlink()
    report = await two.journal.import_from(out)
    assert report.added == len(await one.journal.list())
    assert sorted(each.kind for each in report.remarks) == ["skipped"] * 3
    assert {each.place.rpartition("/")[2] for each in report.remarks} >= {"note.md", "half.md"}
    assert "photo.jpg" in next(each.reason for each in report.remarks if "2026-11-20" in each.place)


@pytest.mark.shared
@pytest.mark.parametrize("form", ["markdown", "json"])
async def test_the_diary_comes_back_as_it_was(homes: Any, tmp_path: Path, shared_data: Path, form: Any) -> None:
    one, two, path = await homes("one"), await homes("two"), tmp_path / "out.zip"
    await one.journal.import_entries(read_jsonl(shared_data / "pepys.jsonl.gz"))
    assert (await one.export(path, form=form)).entries == 3415
    same = await one.journal.import_from(path)
    assert (same.added, same.updated, same.present, same.remarks) == (0, 0, 3415, ())
    assert (await two.journal.import_from(path)).added == 3415
    await one.export(tmp_path / "one", form="json")
    await two.export(tmp_path / "two", form="json")
    assert read_journal((tmp_path / "one" / "journal.json").read_bytes()) == read_journal(
        (tmp_path / "two" / "journal.json").read_bytes()
    )
