"""Folders of Markdown: front matter, names and Obsidian's ways of writing become entries."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.journal.importers.dates import date_in_name, loose_date
from lockleaf.client.journal.importers.markdown import split_front_matter
from lockleaf.client.records.entries import EntryDraft
from tests.support.journals.pictures import PDF, jpeg
from tests.support.journals.reading import contents, drafts, read, recognised, skipped


def vault(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def one(folder: Path, text: str | bytes, name: str = "2026-11-21.md", **options: Any) -> EntryDraft:
    (draft,) = drafts(vault(folder, {name: text}), **options)
    return draft


def test_front_matter_is_taken_over_to_the_letter(tmp_path: Path) -> None:
    text = (
        "---\ntitle: A day\ndate: 2026-11-21T18:30:00+01:00\ntags: [no, 2026, two words]\nmood: calm\nweather: rain\n"
        "location: Tower Hill\ntime_zone: Europe/Berlin\nstarred: true\nother: ignored\n---\n\nText.\n\n---\n\nMore.\n"
    )
    draft = one(tmp_path, text, "any name.md")
    assert (draft.title, draft.body, draft.date) == ("A day", "Text.\n\n---\n\nMore.", "2026-11-21T18:30:00+01:00")
    assert (draft.mood, draft.weather, draft.location, draft.time_zone) == (
        "calm",
        "rain",
        "Tower Hill",
        "Europe/Berlin",
    )
    assert draft.tags == ("no", "2026", "two words", "starred")
    assert recognised(tmp_path) == "markdown"


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("a, b", ("a", "b")),
        ("'#a #b'", ("a", "b")),
        ("[]", ()),
        ("\n- x\n- y z", ("x", "y z")),
        ("one", ("one",)),
        ("", ()),
    ],
)
def test_tags_of_front_matter_come_in_every_form(tmp_path: Path, tags: str, found: tuple[str, ...]) -> None:
    assert one(tmp_path, f"---\ntags: {tags}\n---\nx").tags == found


@pytest.mark.parametrize(
    ("name", "date", "title"),
    [
        ("2026-11-21.md", "2026-11-21", None),
        ("2026_11_21.md", "2026-11-21", None),
        ("20261121.md", "2026-11-21", None),
        ("2026-11-21 A walk.md", "2026-11-21", "A walk"),
        ("A walk - 2026-11-21.md", "2026-11-21", "A walk"),
        ("2026-11-21T18-30.md", "2026-11-21T18:30", None),
        ("2026-11-21 1830 Tea.md", "2026-11-21T18:30", "Tea"),
        ("2026-11-21-18-30-05.md", "2026-11-21T18:30:05", None),
        ("2026/11/21.md", "2026-11-21", None),
        ("2026/11-November/21.md", "2026-11-21", None),
        ("Daily/2026/2026-11-21.md", "2026-11-21", None),
        ("1969-12-31.md", "1969-12-31", None),
    ],
)
def test_a_date_in_the_name_is_that_of_the_entry(tmp_path: Path, name: str, date: str, title: str | None) -> None:
    draft = one(tmp_path, "x", name)
    assert (draft.date, draft.title) == (date, title)


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2026-11-21", "2026-11-21"),
        ("2026-11-21 18:30", "2026-11-21 18:30"),
        ("2026-11-21 18:30:00 +0100", "2026-11-21 18:30:00 +0100"),
        ("1970-01-01 00:00Z", "1970-01-01 00:00Z"),
        ("2026/1/5 6:30 PM", "2026-01-05T18:30:00"),
        ("2026-1-5 12:05am", "2026-01-05T00:05:00"),
        ("2026.01.05", "2026-01-05"),
    ],
)
def test_dates_of_front_matter_come_in_many_forms(tmp_path: Path, written: str, date: str) -> None:
    assert one(tmp_path, f"---\ndate: {written}\n---\nx").date == date


@pytest.mark.parametrize("date", ["0000-01-01", "2026-02-30", "yesterday", "21/11/2026", "2026-11-21T25:00", "5"])
def test_a_date_that_is_none_costs_its_file(tmp_path: Path, date: str) -> None:
    vault(tmp_path, {"a.md": f"---\ndate: '{date}'\n---\nx", "2026-01-01.md": "y"})
    found, left = read(tmp_path)
    assert [each.body for each in found] == ["y"]
    assert [each.place for each in left] == ["a.md"]


def test_a_file_without_a_date_is_left_out_unless_its_last_change_is_to_date_it(tmp_path: Path) -> None:
    vault(tmp_path, {"Recipes.md": "bread", "0000-00-00.md": "x"})
    assert [place for place, _ in skipped(tmp_path)] == ["0000-00-00.md", "Recipes.md"]
    os.utime(tmp_path / "Recipes.md", (1_600_000_000, 1_600_000_000))
    found, left = read(tmp_path, file_dates=True)
    assert ([each.title for each in found], len(left)) == (["Recipes"], 1)
    assert found[0].date.startswith("2020-09-1")
    assert found[0].notes


def test_obsidian_embeds_are_attached_from_anywhere_in_the_vault(tmp_path: Path) -> None:
    vault(
        tmp_path,
        {
            "daily/2026-11-21.md": (
                "![[Pasted image.png]] ![[photo.JPG|300]] ![[photo.JPG|the river]] ![[A note]] ![[paper.pdf#page=2]]\n"
                "![words](../files/photo.jpg) [the paper](<../files/paper.pdf>) [web](https://example.org/a.png)\n"
                "`![[photo.jpg]]`\n```\n![[photo.jpg]]\n```\n![gone](gone.png) ![[gone too.png]]"
            ),
            "files/photo.jpg": jpeg(1),
            "files/paper.pdf": PDF,
            "files/deep/Pasted image.png": b"\x89PNG\r\n\x1a\n",
            "files/unused.pdf": PDF,
        },
    )
    found, left = read(tmp_path)
    assert found[0].body == (
        "![](attachment:Pasted%20image.png) ![](attachment:photo.jpg) ![the river](attachment:photo.jpg) ![[A note]] "
        "![](attachment:paper.pdf)\n"
        "![words](attachment:photo.jpg) [the paper](attachment:paper.pdf) [web](https://example.org/a.png)\n"
        "`![[photo.jpg]]`\n```\n![[photo.jpg]]\n```\n![gone](gone.png) ![[gone too.png]]"
    )
    assert sorted(contents(tmp_path)) == ["Pasted image.png", "paper.pdf", "photo.jpg"]
    assert found[0].absent == (
        "the file gone too.png: it is not in the folder", "the file gone.png: it is not in the folder",
    )  # fmt: skip
    assert [(each.place, each.reason) for each in left] == [("files/unused.pdf", "no entry names it")]


def test_tags_stand_in_the_text_but_not_in_code_or_numbers(tmp_path: Path) -> None:
    text = "# Heading\n#walk and #family/kids, #1 #2026 a#b `#code`\n```\n#shell\n```\n#größer."
    assert one(tmp_path, text).tags == ("walk", "family/kids", "größer")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_be_in_any_usual_form_of_text(tmp_path: Path, encoding: str) -> None:
    draft = one(tmp_path, "---\r\ntitle: Über\r\n---\r\nerste\r\nzweite\r\n".encode(encoding))
    assert (draft.title, draft.body) == ("Über", "erste\nzweite")


def test_other_encodings_are_named_by_an_option(tmp_path: Path) -> None:
    vault(tmp_path, {"2026-11-21.md": "Grüße".encode("latin-1")})
    assert skipped(tmp_path) == [("2026-11-21.md", "not UTF-8 text: --encoding says what it is, such as latin-1")]
    assert [each.body for each in drafts(tmp_path, encoding="latin-1")] == ["Grüße"]


def test_front_matter_that_is_damaged_or_a_trap_costs_its_file(tmp_path: Path) -> None:
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join(f'*a{n - 1}' for _ in range(9))}]" for n in range(1, 12))
    vault(
        tmp_path,
        {
            "2026-01-01.md": "---\ntitle: [\n---\nx",
            "2026-01-02.md": f"---\na0: &a0 lol\n{laughs}\ntitle: fine\n---\nx",
            "2026-01-03.md": "---\n" + "[" * 5000 + "\n---\nx",
            "2026-01-04.md": "---\nno end of it",
            "2026-01-05.md": "---\n- a list\n---\nx",
            "2026-01-06.md": "---\n!!python/object/apply:os.system ['true']\n---\nx",
        },
    )
    found, left = read(tmp_path)
    assert [each.date for each in found] == ["2026-01-02", "2026-01-04", "2026-01-05", "2026-01-06"]
    assert {each.reason for each in left} == {"its front matter is not YAML"}


def test_times_without_a_zone_have_that_of_an_option(tmp_path: Path) -> None:
    vault(tmp_path, {"2026-11-21 1830.md": "x", "2026-11-22.md": "y"})
    assert [each.time_zone for each in drafts(tmp_path, time_zone="Europe/Vienna")] == ["Europe/Vienna", None]


def test_a_zip_and_a_single_file_are_read_as_a_folder_is(tmp_path: Path) -> None:
    folder = vault(tmp_path / "vault", {"2026-11-21.md": "![[p.jpg]]", "p.jpg": jpeg(1)})
    with zipfile.ZipFile(tmp_path / "vault.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    assert drafts(tmp_path / "vault.zip") == drafts(folder)
    (draft,) = drafts(folder / "2026-11-21.md")
    assert draft.absent


def test_a_file_of_a_hundred_megabytes_costs_itself(tmp_path: Path) -> None:
    with (tmp_path / "2026-11-21.md").open("wb") as file:
        for _ in range(100):
            file.write(b"x" * 1_000_000)
    vault(tmp_path, {"2026-11-22.md": "y"})
    found, left = read(tmp_path)
    assert ([each.body for each in found], [each.reason for each in left]) == (["y"], ["longer than 32 MiB"])


@given(st.datetimes(), st.sampled_from(["%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %I:%M %p"]))
def test_any_time_that_is_written_is_read(moment: Any, form: str) -> None:
    text = moment.strftime(form)
    text = (
        text
        if text[4:5] in "-/" and len(text.split("-")[0].split("/")[0]) == 4
        else f"{moment.year:04}{text[len(str(moment.year)) :]}"
    )
    date, _ = loose_date(text)
    assert date.replace(" ", "T")[:16] == moment.isoformat()[:16]


@given(st.dates(), st.sampled_from(["{}", "{} words", "words {}", "a/b/{}"]))
def test_any_day_in_a_name_is_found(day: Any, form: str) -> None:
    found = date_in_name(form.format(day.isoformat()))
    assert found is not None
    assert found[0] == day.isoformat()


@given(st.text(max_size=200))
def test_any_text_splits_into_front_matter_and_text_or_is_refused_by_name(text: str) -> None:
    from lockleaf.client.errors import InvalidEntry

    try:
        _, body = split_front_matter(text)
    except InvalidEntry:
        return
    assert text.endswith(body)
