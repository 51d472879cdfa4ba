"""Programs for notes: Standard Notes, Joplin and Google Keep."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.journals.notes import (
    JoplinNotes,
    keep_note,
    standard_note,
    standard_tag,
    write_keep,
    write_standard_notes,
)
from tests.support.journals.pictures import MP3, PDF, jpeg
from tests.support.journals.reading import contents, drafts, read, recognised, skipped

DAY = datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC)


def test_notes_of_standard_notes_come_with_their_tags_and_trash_stays_there(tmp_path: Path) -> None:
    one, two = standard_note("A walk", "to the river\n"), standard_note("", "no title", pinned=True, starred=True)
    bin_ = standard_note("gone", "x", trashed=True)
    items = [standard_tag("walks.far", one), one, two, bin_, standard_tag("x", one, two), {"content_type": "Theme"}]
    path = write_standard_notes(tmp_path / "b.zip", items)
    assert recognised(path) == "standard-notes"
    found, left = read(path)
    assert [(each.title, each.body, each.tags) for each in found] == [
        ("A walk", "to the river\n", ("walks.far", "x")),
        (None, "no title", ("x", "pinned", "starred")),
    ]
    assert {each.date for each in found} == {"2020-01-02T03:04:05.678Z"}
    assert [each.reason for each in left] == ["it is in the trash"]


def test_the_words_of_the_super_editor_come_and_encrypted_items_are_named(tmp_path: Path) -> None:
    def paragraph(*words: str) -> dict[str, object]:
        return {"type": "paragraph", "children": [{"type": "text", "text": each} for each in words]}

    items = {"type": "list", "children": [{"type": "listitem", "children": [{"text": each}]} for each in "ab"]}
    text = json.dumps({"root": {"children": [paragraph("Hello ", "there"), paragraph(), items], "type": "root"}})
    good, bad = standard_note("s", text, noteType="super"), standard_note("t", "not json", noteType="super")
    sealed = standard_note("u", "") | {"content": "004:abc"}
    found, left = read(write_standard_notes(tmp_path / "b.zip", [good, bad, sealed]))
    assert [each.body for each in found] == ["Hello there\n\na\nb"]
    assert [each.place for each in left] == ["item 2", "item 3"]


def a_notebook() -> JoplinNotes:
    notes = JoplinNotes()
    travel = notes.add(2, "Travel", parent_id="")
    photo, paper = notes.resource("river.jpg", jpeg(1), "jpg"), notes.resource("paper.pdf", PDF, "pdf")
    gone = notes.resource("gone.png", b"x", "png", missing=True)
    first = notes.note(
        "A walk",
        f"![the river](:/{photo}) and [paper](:/{paper})\n\n![](:/{gone}) [another note](:/{'f' * 32})\n\nkey: value",
        parent_id=travel,
        user_created_time="1969-07-20T20:17:40.000Z",
        latitude="48.20820000",
        longitude="16.37380000",
    )
    notes.tag("walks", first)
    notes.note("Clipped", "<h1>Page</h1><p>with <b>words</b></p>", markup_language=2)
    notes.note("Sealed", "x", encryption_applied=1)
    notes.note("Binned", "x", deleted_time=1700000000000)
    return notes


@pytest.mark.parametrize("form", ["jex", "raw"])
def test_joplin_comes_with_files_tags_and_notebooks(tmp_path: Path, form: str) -> None:
    notes = a_notebook()
    path = notes.write_jex(tmp_path / "n.jex") if form == "jex" else notes.write_raw(tmp_path / "raw")
    assert recognised(path) == "joplin"
    found, left = read(path)
    walk = next(each for each in found if each.title == "A walk")
    gone = walk.body.split("](:/")[1][:32]
    assert walk.body == (
        "![the river](attachment:river.jpg) and [paper](attachment:paper.pdf)\n\n"
        f"![](:/{gone}) [another note](:/{'f' * 32})\n\nkey: value"
    )
    assert (walk.date, walk.tags, walk.location) == (
        "1969-07-20T20:17:40.000Z", ("walks", "Travel"), "48.2082, 16.3738",
    )  # fmt: skip
    assert walk.absent == ("the file gone.png: it is not in the export",)
    assert contents(path) == {"river.jpg": jpeg(1), "paper.pdf": PDF}
    clipped = next(each for each in found if each.title == "Clipped")
    assert (clipped.body, clipped.date) == ("# Page\n\nwith **words**", "2020-01-02T03:04:05.678Z")
    assert sorted(each.reason for each in left) == [
        "it is encrypted: switch encryption off in Joplin, or decrypt, and export again", "it is in the trash",
    ]  # fmt: skip


def test_an_item_of_joplin_that_is_cut_off_costs_itself(tmp_path: Path) -> None:
    notes = JoplinNotes()
    cut = notes.note("cut", "words\n\nmore")
    kept = notes.note("kept", "whole")
    notes.files[f"{cut}.md"] = notes.files[f"{cut}.md"][:15]
    found, left = read(notes.write_raw(tmp_path / "raw"))
    assert [each.external_id for each in found] == [kept]
    assert [each.place for each in left] == [f"{cut}.md"]


def test_keep_comes_with_lists_labels_links_and_files_of_other_endings(tmp_path: Path) -> None:
    path = write_keep(
        tmp_path / "takeout.zip",
        {
            "A walk": keep_note(
                "A walk",
                "to the river",
                DAY,
                isPinned=True,
                labels=[{"name": "walks"}, {"name": "two words"}],
                annotations=[{"url": "https://example.org/", "title": "t", "source": "WEBLINK"}],
                attachments=[
                    {"filePath": "17a.jpeg", "mimetype": "image/jpeg"},
                    {"filePath": "17b.3gp", "mimetype": "audio/3gp"},
                    {"filePath": "gone.png", "mimetype": "image/png"},
                ],
            ),
            "List": keep_note("", None, DAY, listContent=[
                {"text": "bread", "isChecked": True}, {"text": "milk", "isChecked": False},
            ]),
            "Binned": keep_note("x", "x", DAY, isTrashed=True),
            "Old": {"title": "old", "textContent": "o", "userEditedTimestampUsec": 1_600_000_000_000_000},
            "None": {"title": "none", "textContent": "o", "createdTimestampUsec": 0},
        },
        {"17a.jpg": jpeg(1), "17b.3gp": MP3},
    )  # fmt: skip
    assert recognised(path) == "google-keep"
    found, left = read(path)
    by_title = {each.title: each for each in found}
    walk = by_title["A walk"]
    assert (walk.date, walk.tags) == ("1969-07-20T20:17:40Z", ("walks", "two words", "pinned"))
    assert walk.body == "to the river\n\n<https://example.org/>\n\n![](attachment:17a.jpg)\n\n[](attachment:17b.3gp)"
    assert walk.absent == ("the file gone.png: it is not in the archive",)
    assert by_title[None].body == "- [x] bread\n- [ ] milk"
    assert by_title["old"].notes
    assert sorted(each.place.split("/")[-1] for each in left) == ["Binned.json", "None.json"]
    assert contents(path) == {"17a.jpg": jpeg(1), "17b.3gp": MP3}


def test_a_note_of_keep_that_is_cut_off_costs_itself(tmp_path: Path) -> None:
    folder = tmp_path / "Takeout" / "Keep"
    folder.mkdir(parents=True)
    text = json.dumps(keep_note("t", "x" * 50, DAY))
    (folder / "a.json").write_text(text)
    (folder / "b.json").write_text(text[: len(text) // 2])
    found, left = read(tmp_path)
    assert (len(found), [each.place for each in left]) == (1, ["Takeout/Keep/b.json"])


def test_one_note_of_standard_notes_alone_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "backup.txt").write_text(json.dumps({"version": "004", "items": [standard_note("t", "x")]}))
    assert [each.body for each in drafts(tmp_path / "backup.txt")] == ["x"]
    assert skipped(tmp_path / "backup.txt") == []
