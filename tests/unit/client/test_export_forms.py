"""Entries as Markdown with front matter, and the names of files: any text comes back, any name is good anywhere."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lockleaf.client import Attachment, Entry
from lockleaf.client.journal.exporters.formats import ExportedEntry, ExportedFile
from lockleaf.client.journal.exporters.front_matter import LINKS, markdown
from lockleaf.client.journal.exporters.markdown import entry_file
from lockleaf.client.journal.exporters.names import FileNames, file_names
from lockleaf.client.journal.exporters.text_links import target_of
from tests.support.exports import front_and_text

WHEN = datetime(2026, 11, 21, tzinfo=UTC)
FOLDER = "entries/2026"
texts = st.text(st.characters(exclude_categories=["Cs"]))


def entry(**fields: Any) -> Entry:
    known: dict[str, Any] = {
        "id": "2ca01e22-c580-4fe1-8c7d-8d07e9b72063",
        "date": "2026-11-21",
        "title": None,
        "body": "text",
        "mood": None,
        "tags": (),
        "revision": 1,
        "created_at": WHEN,
        "updated_at": WHEN,
    }
    return Entry(**known | fields)


def attachment(name: str, media_type: str = "image/jpeg") -> Attachment:
    return Attachment(
        "5c0b7ad1-0c1e-4c57-9b35-0e4d3d1c2b1a", media_type, 5, b"d" * 32, 99, b"s" * 32, None, name, "an entry"
    )


def exported(body: str, *names: str) -> ExportedEntry:
    files = tuple(ExportedFile(attachment(name), f"attachments/2026/stem/{name}") for name in names)
    return ExportedEntry(entry(body=body, attachments=tuple(each.attachment for each in files)), "stem", files)


@given(texts, texts, st.lists(texts.filter(bool), max_size=3))
@example("\n---\n", "---", ["no", "~", "1e3", "2026-11-21", "- a: b", "#"])
@example("\r\n \r\x85\u2028\ufeff", "\x00\x7f\ufffe\U0001f600", ["{", "[", "'", '"', "\\"])
@example(f"\n{LINKS}\n", "a\nb", [])
def test_any_text_stands_in_a_file_and_comes_back_to_the_letter(body: str, title: str, tags: list[str]) -> None:
    file = markdown({"title": title, "tags": tags, "date": "2026-11-21"}, body)
    fields, text = front_and_text(file)
    assert text == body
    assert (fields["title"], fields.get("tags", []), fields["date"]) == (title, tags, "2026-11-21")


@given(st.floats(-65536, 65536), st.sampled_from(["no", "1", "null", "a_b"]))
@example(1e-07, "on")
@example(-0.0, "y")
def test_numbers_are_numbers_to_any_yaml(value: float, name: str) -> None:
    fields, _ = front_and_text(markdown({"metrics": {name: value}}, ""))
    assert fields["metrics"] == {name: value}
    assert isinstance(fields["metrics"][name], float)


@given(texts)
@example(f"a\n{LINKS}\nb")
def test_links_to_attachments_stand_below_the_text_and_are_no_part_of_it(body: str) -> None:
    file = entry_file(exported(body, "a photo [1].jpg", "b.pdf"), FOLDER)
    fields, text = front_and_text(file)
    assert text == body
    assert [each["file"] for each in fields["attachments"]] == [
        "../../attachments/2026/stem/a photo [1].jpg",
        "../../attachments/2026/stem/b.pdf",
    ]
    assert rb"![a photo \[1\].jpg](<../../attachments/2026/stem/a photo [1].jpg>)" in file


def test_a_link_in_the_text_leads_to_the_file_of_the_export() -> None:
    body = f"See ![the *sea*]({target_of('a photo.jpg')}) and [that]({target_of('gone.pdf')})."
    file = entry_file(exported(body, "a photo.jpg"), FOLDER)
    fields, text = front_and_text(file)
    assert text == f"See ![the *sea*](../../attachments/2026/stem/a%20photo.jpg) and [that]({target_of('gone.pdf')})."
    assert fields["attachments"][0]["in_text"] is True
    assert LINKS.encode() not in file


def test_a_text_that_has_such_a_link_already_keeps_all_of_its_links() -> None:
    body = f"![a]({target_of('a.jpg')}) ![a](../../attachments/2026/stem/a.jpg)"
    fields, text = front_and_text(entry_file(exported(body, "a.jpg"), FOLDER))
    assert text == body
    assert "in_text" not in fields["attachments"][0]


def test_what_is_empty_is_left_out() -> None:
    fields = yaml.safe_load(entry_file(ExportedEntry(entry(), "stem"), FOLDER).split(b"---\n")[1])
    assert fields == {
        "lockleaf": 1,
        "id": "2ca01e22-c580-4fe1-8c7d-8d07e9b72063",
        "date": "2026-11-21",
        "created_at": "2026-11-21T00:00:00+00:00",
        "updated_at": "2026-11-21T00:00:00+00:00",
    }


def test_the_name_of_an_entry_is_its_day_and_the_end_of_its_id() -> None:
    names = FileNames()
    first = entry()
    assert names.stem(first) == names.stem(first) == "2026-11-21-8d07e9b72063"
    assert names.stem(replace(first, title="another", body="other", date="2026-11-22")) == "2026-11-22-8d07e9b72063"
    alike = replace(first, id="00000000-0000-4000-8000-8d07e9b72063")
    assert names.stem(alike) == "2026-11-21-000000000000400080008d07e9b72063"
    assert names.stem(replace(first, date="0001-01-01", time_zone="Asia/Tokyo")).startswith("0001-01-01-")
    assert names.stem(replace(first, id="../../etc/passwd")).removeprefix("2026-11-21-").isalnum()


@given(st.lists(st.text(min_size=1), max_size=6))
@example(["A.jpg", "a.JPG", "a.jpg", "a-2.jpg"])
@example(["e\u0301.jpg", "\u00e9.jpg", "CON", "con.txt", "...", "a" * 300, "../../x", "nul ", "\u202egpj.exe"])
def test_attachments_have_names_that_every_system_takes_and_tells_apart(given_names: list[str]) -> None:
    paths = file_names("2026", "2026-11-21-8d07e9b72063", [attachment(name) for name in given_names])
    assert len(paths) == len(given_names)
    folded = {unicodedata.normalize("NFC", path).casefold() for path in paths}
    assert len(folded) == len(paths)
    for path in paths:
        parts = PurePosixPath(path).parts
        assert parts[:-1] == ("attachments", "2026", "2026-11-21-8d07e9b72063")
        assert path.isprintable()
        assert not set('<>:"|?*\\') & set(path)
        assert not parts[-1].startswith((".", " ", "-"))
        assert not parts[-1].endswith((".", " "))
        assert unicodedata.is_normalized("NFC", path)
        assert len(path.encode()) < 200


@pytest.mark.parametrize("name", ["con", "NUL.txt", "com1", "lpt9.jpg", "aux .md"])
def test_devices_of_windows_are_no_names(name: str) -> None:
    [path] = file_names("2026", "s", [attachment(name)])
    assert PurePosixPath(path).name == "_" + name
