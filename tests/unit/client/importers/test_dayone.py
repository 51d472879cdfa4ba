"""Day One's export: everything of an entry comes, and what is missing is said."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.journals.dayone import DayOneFile, entry, journal_json, write_dayone
from tests.support.journals.pictures import MP3, MP4, PDF, jpeg
from tests.support.journals.reading import contents, drafts, read, recognised, skipped


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "export.zip"


def one(path: Path, made: dict[str, Any], *files: DayOneFile, journal: str = "Journal") -> Any:
    (draft,) = drafts(write_dayone(path, {journal: [made]}, files))
    return draft


def test_an_entry_comes_with_time_zone_tags_star_place_and_weather(path: Path) -> None:
    draft = one(
        path,
        entry(
            "# A walk\n\nto the river",
            "2017-06-28T15:38:37Z",
            tags=["温泉", "two words"],
            starred=True,
            isPinned=True,
            location={
                "placeName": "Green Island",
                "localityName": "Lüdao",
                "country": "Taiwan",
                "latitude": 22.6369438,
                "longitude": 121.50425,
            },
            weather={"conditionsDescription": "Mostly Sunny", "temperatureCelsius": 25.6, "windSpeedKPH": 6},
        ),
    )
    assert (draft.body, draft.title) == ("# A walk\n\nto the river", None)
    assert (draft.date, draft.time_zone) == ("2017-06-28T15:38:37Z", "Asia/Taipei")
    assert draft.tags == ("温泉", "two words", "starred", "pinned")
    assert draft.location == "Green Island, Lüdao, Taiwan (22.63694, 121.50425)"
    assert draft.weather == "Mostly Sunny, 26 °C"
    assert recognised(path) == "dayone"


def test_files_of_every_kind_are_attached_and_the_text_points_at_them(path: Path) -> None:
    photo, film = DayOneFile("photos", jpeg(1), "jpeg", filename="IMG_1.jpeg"), DayOneFile("videos", MP4, "mp4")
    sound, paper = DayOneFile("audios", MP3, "mp3"), DayOneFile("pdfAttachments", PDF, "pdf")
    files = (photo, film, sound, paper)
    text = f"before {photo.link} then {film.link}\n{sound.link}\n{paper.link} after"
    draft = one(path, entry(text, "2020-01-01T00:00:00Z", *files), *files)
    assert [file.name for file in draft.files] == [
        "IMG_1.jpeg", f"{film.md5}.mp4", f"{sound.md5}.mp3", f"{paper.md5}.pdf",
    ]  # fmt: skip
    assert draft.body == (
        f"before ![](attachment:IMG_1.jpeg) then [](attachment:{film.md5}.mp4)\n"
        f"[](attachment:{sound.md5}.mp3)\n[](attachment:{paper.md5}.pdf) after"
    )
    assert list(contents(path).values()) == [photo.data, MP4, MP3, PDF]


def test_a_photo_that_the_text_does_not_name_is_attached_all_the_same(path: Path) -> None:
    photo = DayOneFile("photos", jpeg(2), "jpeg")
    draft = one(path, entry("no picture here", "2020-01-01T00:00:00Z", photo), photo)
    assert (draft.body, len(draft.files)) == ("no picture here", 1)


def test_a_photo_listed_in_another_entry_is_found(path: Path) -> None:
    photo = DayOneFile("photos", jpeg(3), "jpeg")
    lists, borrows = entry("mine", "2020-01-01T00:00:00Z", photo), entry(f"{photo.link} borrowed")
    first, second = drafts(write_dayone(path, {"Journal": [lists, borrows]}, [photo]))
    assert (len(first.files), len(second.files)) == (1, 1)
    assert second.body == f"![](attachment:{photo.md5}.jpeg) borrowed"


def test_a_missing_photo_is_said_and_its_link_stays(path: Path) -> None:
    photo = DayOneFile("photos", jpeg(4), "jpeg", missing=True)
    draft = one(path, entry(f"see {photo.link}", "2020-01-01T00:00:00Z", photo), photo)
    assert (draft.files, draft.body) == ((), f"see {photo.link}")
    assert draft.absent == (f"the file {photo.md5}.jpeg: it is not in the archive",)


def test_two_photos_of_one_name_have_two_names_and_one_photo_listed_twice_is_one(path: Path) -> None:
    one_, two = (DayOneFile("photos", jpeg(number), "jpeg", filename="IMG.jpeg") for number in (5, 6))
    again = DayOneFile("photos", one_.data, "jpeg", filename="IMG.jpeg")
    draft = one(path, entry(again.link, "2020-01-01T00:00:00Z", one_, two, again), one_, two)
    assert [file.name for file in draft.files] == ["IMG.jpeg", "IMG (2).jpeg"]
    assert draft.body == "![](attachment:IMG.jpeg)"


def test_every_journal_of_a_zip_comes_and_its_name_is_a_tag(path: Path) -> None:
    write_dayone(path, {"Journal": [entry("a")], "Reisen": [entry("b"), entry("c", tags=["x"])]})
    assert [(each.body, each.tags) for each in drafts(path)] == [("a", ()), ("b", ("Reisen",)), ("c", ("x", "Reisen"))]


def test_an_unpacked_export_and_one_in_a_folder_are_read_too(tmp_path: Path) -> None:
    photo = DayOneFile("photos", jpeg(7), "jpeg")
    export = write_dayone(tmp_path / "e.zip", {"Journal": [entry(photo.link, "2020-01-01T00:00:00Z", photo)]}, [photo])
    with zipfile.ZipFile(export) as archive:
        archive.extractall(tmp_path / "folder" / "inner")
    for folder in (tmp_path / "folder" / "inner", tmp_path / "folder"):
        assert list(contents(folder).values()) == [photo.data]


@pytest.mark.parametrize(
    ("created", "zone", "day", "date", "kept"),
    [
        ("1969-07-20T20:17:40Z", "America/New_York", False, "1969-07-20T20:17:40Z", "America/New_York"),
        ("2016-12-31T23:59:60Z", "Europe/Vienna", False, "2016-12-31T23:59:59Z", "Europe/Vienna"),
        ("2026-03-29T01:30:00Z", "Europe/Berlin", False, "2026-03-29T01:30:00Z", "Europe/Berlin"),
        ("2020-01-01T15:00:00Z", "GMT+0900", False, "2020-01-01T15:00:00Z", "Etc/GMT-9"),
        ("2020-01-01T16:30:00Z", "Asia/Tokyo", True, "2020-01-02", "Asia/Tokyo"),
        ("2020-01-01T15:00:00Z", "Mars/Olympus", False, "2020-01-01T15:00:00Z", None),
    ],
)
def test_facts_of_time_are_kept(path: Path, created: str, zone: str, *, day: bool, date: str, kept: str | None) -> None:
    draft = one(path, entry("t", created, timeZone=zone, isAllDay=day))
    assert (draft.date, draft.time_zone) == (date, kept)
    assert bool(draft.notes) == (kept is None or "60Z" in created)


def test_rich_text_stands_in_where_there_is_no_other(path: Path) -> None:
    photo = DayOneFile("photos", jpeg(8), "jpeg")
    rich = {
        "meta": {"version": 1},
        "contents": [
            {"text": "All packed\n", "attributes": {"line": {"header": 1}}},
            {"embeddedObjects": [{"type": "photo", "identifier": photo.identifier}]},
            {"text": "Here we come."},
        ],
    }
    draft = one(path, entry(None, "2020-01-01T00:00:00Z", photo, richText=json.dumps(rich)), photo)
    assert draft.body == f"All packed\n![](attachment:{photo.md5}.jpeg)\nHere we come."
    assert one(path, entry(None)).body == ""


def test_entries_that_cannot_be_read_cost_themselves(path: Path) -> None:
    write_dayone(
        path,
        {"Journal": [entry("a"), entry("b", "0000-01-01T00:00:00Z"), entry("c") | {"text": 5}, entry("d")]},
    )
    found, left = read(path)
    assert [each.body for each in found] == ["a", "d"]
    assert [each.place for each in left] == ["Journal.json, entry 2", "Journal.json, entry 3"]


def test_a_json_that_is_cut_off_gives_what_stands_before_and_says_so(path: Path) -> None:
    text = journal_json([entry(f"entry {number} " + "words " * 50) for number in range(20)])
    for cut in (len(text) // 2, len(text) - 3):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("Journal.json", text[:cut])
        found, left = read(path)
        assert 5 < len(found) <= 20
        assert len(left) == 1
        assert "ends within" in left[0].reason


def test_a_broken_entry_in_the_middle_costs_itself(path: Path) -> None:
    text = journal_json([entry("a"), entry("BROKEN"), entry("c")])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Journal.json", text.replace('"BROKEN"', "BROKEN"))
    assert [each.body for each in read(path)[0]] == ["a", "c"]
    assert skipped(path) == [("Journal.json, entry 2", "not JSON")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_journal_in_any_usual_encoding_is_read(path: Path, encoding: str) -> None:
    text = journal_json([entry("größer 😀")]).replace("\n", "\r\n")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Journal.json", json.dumps(json.loads(text), ensure_ascii=False).encode(encoding))
    assert [each.body for each in drafts(path)] == ["größer 😀"]
