"""Programs for diaries: jrnl, Journey, Diarium, Apple's Journal; and tables."""

from __future__ import annotations

import string
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.journals.diaries import (
    apple_page,
    diarium_entry,
    journey_entry,
    jrnl_entry,
    paragraphs,
    write_apple_journal,
    write_csv,
    write_diarium,
    write_journey,
    write_jrnl_json,
    write_jrnl_text,
)
from tests.support.journals.pictures import MP3, jpeg
from tests.support.journals.reading import contents, drafts, read, recognised, skipped


@pytest.mark.parametrize("form", ["text", "json"])
def test_jrnl_comes_with_titles_stars_and_tags(tmp_path: Path, form: str) -> None:
    made = [
        jrnl_entry(
            "2026-11-21", "A walk\nto the @river with @Ada.\n\nsecond [2020] paragraph", time="18:30", starred=True
        ),
        jrnl_entry("1969-07-20", "A single line."),
    ]
    made[0]["tags"] = ["@river", "@ada"]
    path = write_jrnl_text(tmp_path / "j.txt", made) if form == "text" else write_jrnl_json(tmp_path / "j.json", made)
    assert recognised(path) == "jrnl"
    first, second = drafts(path)
    assert (first.title, first.date, first.tags) == ("A walk", "2026-11-21T18:30", ("river", "ada", "starred"))
    assert first.body == "to the @river with @Ada.\n\nsecond [2020] paragraph"
    assert (second.title or second.body, second.date) == ("A single line.", "1969-07-20T09:00")
    assert drafts(path, time_zone="Europe/Vienna")[0].time_zone == "Europe/Vienna"


def test_the_older_form_of_jrnl_without_brackets_is_read(tmp_path: Path) -> None:
    (tmp_path / "j.txt").write_text("2013-06-09 15:39 My title\nbody 2014 words\n\n2013-06-10 15:40 Second\nmore\n")
    assert [(each.title, each.body) for each in drafts(tmp_path / "j.txt")] == [
        ("My title", "body 2014 words"), ("Second", "more"),
    ]  # fmt: skip


def test_jrnl_with_dates_that_are_none_and_other_encodings_costs_those_entries(tmp_path: Path) -> None:
    path = tmp_path / "j.txt"
    path.write_bytes(
        b"\xef\xbb\xbf[2026-01-01 09:00] one\r\nbody\r\n"
        b"[0000-01-01 09:00] two\r\n[2026-01-03 09:00] gr\xfc\xdfe\r\nthree"
    )
    found, left = read(path)
    assert [(each.title, each.body) for each in found] == [("one", "body")]
    assert [each.place for each in left] == ["line 3", "line 4"]
    assert [each.title for each in read(path, encoding="latin-1")[0]] == ["one", "grüße"]


def test_an_entry_of_jrnl_of_a_hundred_megabytes_costs_itself(tmp_path: Path) -> None:
    with (tmp_path / "j.txt").open("wb") as file:
        file.write(b"[2026-01-01 09:00] one\nx\n[2026-01-02 09:00] two\n")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\n[2026-01-03 09:00] three\ny\n")
    found, left = read(tmp_path / "j.txt")
    assert ([each.title for each in found], [each.reason for each in left]) == (
        ["one", "three"],
        ["longer than 32 MiB"],
    )


def test_jrnl_in_json_that_is_cut_off_gives_what_stands_before(tmp_path: Path) -> None:
    path = write_jrnl_json(tmp_path / "j.json", [jrnl_entry("2026-01-01", f"entry {n}\nbody") for n in range(20)])
    path.write_text(path.read_text()[:-300])
    found, left = read(path)
    assert (15 < len(found) < 20, len(left)) == (True, 1)


words = st.text(string.ascii_letters + string.digits + " .,!?()-#@ü😀", max_size=60).map(str.strip)
lines = st.lists(words, min_size=1, max_size=5).map("\n".join).map(str.strip)
entries = st.builds(
    lambda moment, title, body: jrnl_entry(f"{moment:%Y-%m-%d}", f"{title}\n{body}", time=f"{moment:%H:%M}"),
    st.datetimes(min_value=datetime.fromisoformat("1000-01-01")),
    words.filter(lambda text: bool(text) and not text.endswith("*")),
    lines.filter(bool),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(entries, min_size=1, max_size=5))
def test_whatever_jrnl_writes_is_read_as_it_was(tmp_path_factory: Any, made: list[dict[str, Any]]) -> None:
    folder = tmp_path_factory.mktemp("jrnl")
    expected = [(each["title"], each["body"].strip("\n"), f"{each['date']}T{each['time']}") for each in made]
    for path in (write_jrnl_text(folder / "j.txt", made), write_jrnl_json(folder / "j.json", made)):
        assert [(each.title, each.body, each.date) for each in drafts(path)] == expected


def test_journey_comes_with_mood_place_weather_and_files(tmp_path: Path) -> None:
    made = journey_entry(
        "1607-abc", "<p>To the <b>river</b>.</p><ul><li>one</li><li>two</li></ul>", -14_182_940_000,
        tags=["walks"], lat=44.7866, lon=20.4489, address="Knez Mihailova", sentiment=1.75, favourite=True,
        photos=["1607-abc-1.jpg", "1607-abc-2.mp3", "gone.jpg"],
        weather={"degree_c": 21.4, "description": "Clear", "icon": "01d", "place": "Belgrade"},
    )  # fmt: skip
    path = write_journey(
        tmp_path / "j.zip", [made, journey_entry("plain", "Just text. 2 < 3", 60_000)],
        {"1607-abc-1.jpg": jpeg(1), "1607-abc-2.mp3": MP3},
    )  # fmt: skip
    assert recognised(path) == "journey"
    first, second = read(path)[0]
    assert first.body == (
        "To the **river**.\n\n- one\n- two\n\n![](attachment:1607-abc-1.jpg)\n![](attachment:1607-abc-2.mp3)"
    )
    assert (first.date, first.time_zone, first.mood) == ("1969-07-20T20:17:40Z", "Europe/Belgrade", "very satisfied")
    assert (first.location, first.weather) == ("Knez Mihailova, Belgrade (44.7866, 20.4489)", "Clear, 21 °C")
    assert (first.tags, first.absent) == (("walks", "starred"), ("the file gone.jpg: it is not in the archive",))
    assert (second.body, second.date) == ("Just text. 2 < 3", "1970-01-01T00:01:00Z")
    assert (second.location, second.weather, second.mood) == (None, None, None)
    assert list(contents(path).values()) == [jpeg(1), MP3]


def test_journeys_newer_form_with_a_folder_an_entry_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "journey" / "md001"
    folder.mkdir(parents=True)
    (folder / "md001.json").write_text(
        '{"id": "md001", "dateOfJournal": "2023-10-27T10:00:00.000Z", "type": "markdown",'
        ' "text": "# Hello\\n\\n*x* <p>", "attachments": ["a.jpg"],'
        ' "location": {"lat": 1.5, "lng": 2.5, "name": "Here"}}'
    )
    (folder / "a.jpg").write_bytes(jpeg(1))
    (draft,) = drafts(tmp_path / "journey")
    assert (draft.body, draft.date) == ("# Hello\n\n*x* <p>\n\n![](attachment:a.jpg)", "2023-10-27T10:00:00.000Z")
    assert draft.location == "Here (1.5, 2.5)"


def test_diarium_comes_with_headings_tags_and_the_files_of_its_day(tmp_path: Path) -> None:
    made = [
        diarium_entry("2010-10-26T15:47:53.4882800", "one\n\ntwo & three", "Heading", tags=["a"], people=["Ada"],
                      rating=4, location=[48.2, 16.4]),
        diarium_entry("2010-10-26T09:00:00", "morning"),
        diarium_entry("0000-10-26T09:00:00", "no year"),
    ]  # fmt: skip
    path = write_diarium(
        tmp_path / "d.zip", made,
        {"2010-10-26_154753488/a.jpg": jpeg(1), "2010-10-26/b.jpg": jpeg(2), "1999-01-01/c.jpg": jpeg(3)},
    )  # fmt: skip
    assert recognised(path) == "diarium"
    (first, second), left = read(path)
    assert (first.title, first.body) == ("Heading", "one\n\ntwo & three\n\n![](attachment:a.jpg)")
    assert second.body == "morning\n\n![](attachment:b.jpg)"
    assert (first.date, first.tags, first.mood) == ("2010-10-26T15:47:53.488280", ("a", "Ada"), "4 of 5")
    assert first.location == "48.2, 16.4"
    assert {file.name for each in (first, second) for file in each.files} == {"a.jpg", "b.jpg"}
    assert [each.place for each in left] == ["entry 3", "media/1999-01-01/c.jpg"]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Saturday 21 November 2026", "a"),
        ("Saturday, November 21, 2026", "a"),
        ("21. november 2026", "a"),
        ("Samstag, 21. Dezembär 2026", "2026-11-21_A_walk"),
    ],
)
def test_apples_journal_comes_with_its_date_title_and_files(tmp_path: Path, header: str, name: str) -> None:
    page = apple_page(header, "to the river\n\n2 < 3 & 4", "A walk", ["UUID-1", "UUID-2"])
    path = write_apple_journal(tmp_path / "a.zip", {name: page}, {"UUID-1.heic": jpeg(1)})
    assert recognised(path) == "apple-journal"
    ((draft,), left) = read(path)
    assert (draft.title, draft.date) == ("A walk", "2026-11-21")
    assert draft.body == "to the river\n\n2 < 3 & 4\n\n![](attachment:UUID-1.heic)"
    assert (draft.absent, left) == (("the file UUID-2: it is not in the export",), [])
    undated = write_apple_journal(tmp_path / "b.zip", {"x": apple_page("sometime", "t")})
    assert [place for place, _ in skipped(undated)] == ["AppleJournalEntries/Entries/x.html"]


def test_columns_of_a_table_are_recognised_or_named(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "t.csv",
        ["Full Date", "time", "Mood", "activities", "note_title", "note", "Starred", "place"],
        [
            ["2026-11-21", "6:30 pm", "good", "walk | bread", "A day", 'many\n"lines"\n', "yes", "Home"],
            ["2026-11-22", *[""] * 7],
        ],
        ";",
    )
    assert recognised(path) == "csv"
    (draft,), left = read(path)
    assert (draft.date, draft.title, draft.body) == ("2026-11-21T18:30:00", "A day", 'many\n"lines"')
    assert (draft.mood, draft.tags, draft.location) == ("good", ("walk", "bread", "starred"), "Home")
    assert [(each.place, each.reason) for each in left] == [("line 5", "it has no text")]
    other = write_csv(tmp_path / "o.csv", ["Wann", "Was", "date"], [["2026-11-21", "Text", "not this"]])
    from lockleaf.client.journal.importers import ImportOptions
    from lockleaf.client.journal.importers.archives import opened_container
    from lockleaf.client.journal.importers.tables import Tables

    source = opened_container(other)
    options = ImportOptions(columns={"date": "Wann", "text": "Was"})
    assert [getattr(each, "body", None) for each in Tables().read(source, options)] == ["Text"]
    for columns in ({"date": "Nothing"}, {"nothing": "Was"}, {}):
        assert [getattr(each, "place", None) for each in Tables().read(source, ImportOptions(columns=columns))] == [
            "line 1"
        ]


def test_rows_of_a_table_that_are_none_cost_themselves(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(
        b"\xef\xbb\xbfdate,text\r\n2026-01-01,one\r\n0000-01-01,two\r\n2026-01-03,three,four\r\n2026-01-04,five\r\n"
    )
    found, left = read(path)
    assert [each.body for each in found] == ["one", "five"]
    assert [each.place for each in left] == ["line 3", "line 4"]
    path.write_bytes(b"date,text\n2026-01-01,one\n2026-01-02,gr\xfc\xdfe\n")
    assert "not UTF-8" in skipped(path)[-1][1]
    assert [each.body for each in drafts(path, encoding="latin-1")] == ["one", "grüße"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.dates(), words.filter(bool), lines.filter(bool)), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
)
def test_whatever_is_written_into_a_table_is_read_as_it_was(
    tmp_path_factory: Any, rows: list[Any], separator: str
) -> None:
    path = write_csv(
        tmp_path_factory.mktemp("csv") / "t.csv",
        ["date", "title", "text"],
        [(day.isoformat(), title, text) for day, title, text in rows],
        separator,
    )
    assert [(each.date, each.title, each.body) for each in drafts(path)] == [
        (day.isoformat(), title, text) for day, title, text in rows
    ]


@settings(max_examples=60)
@given(st.lists(words.filter(bool), min_size=1, max_size=5))
def test_paragraphs_of_html_are_those_that_were_written(texts: list[str]) -> None:
    from lockleaf.client.journal.importers.markup import markdown_of

    spaced = [" ".join(each.split()) for each in texts]
    assert markdown_of(paragraphs("\n\n".join(spaced))) == "\n\n".join(spaced)
