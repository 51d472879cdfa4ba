"""Tags and filters on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockleaf.wire.palette import color_of
from tests.support.command_line import CommandLine, fresh_email
from tests.support.process import RunningServer


@pytest.fixture(scope="module")
def laptop(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    device = CommandLine(tmp_path_factory.mktemp("home"), "laptop")
    device.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "laptop")
    device.run("write", "one", "--tag", "Garden", "--tag", "work")
    device.run("write", "two", "--tag", "work")
    device.run("sync")
    return device


def test_tags_are_listed_and_coloured(laptop: CommandLine) -> None:
    garden, work = laptop.run("tags", "--json").values()
    assert (garden["name"], garden["color"], garden["entries"]) == ("Garden", color_of("garden"), 1)
    assert (work["name"], work["entries"], work["pending"]) == ("work", 2, False)
    shown = laptop.run("tags").out
    assert shown.index("Garden") < shown.index("work")
    assert laptop.run("tags", "color", "GARDEN", "#ABCDEF", "--json").value()["color"] == "#abcdef"
    assert laptop.run("tags", "color", "garden", "reddish", "--json", code=9).error()["code"] == "invalid_tag"
    assert laptop.run("tags", "color", "none", "#000000", "--json", code=4).error()["code"] == "tag_not_found"


def test_a_tag_in_use_is_taken_off_only_when_that_is_said(laptop: CommandLine) -> None:
    entry = laptop.run("write", "three", "--tag", "passing").out.strip()
    laptop.run("sync")
    assert laptop.run("tags", "rename", "passing", "Passing by", "--json").value()["entries"] == 1
    assert laptop.run("tags", "rm", "passing by", "--json", code=2).error()["name"] == "TagInUse"
    assert laptop.run("tags", "rm", "passing by", "--yes", "--json").value() == {"removed": "passing by", "entries": 1}
    assert laptop.run("show", entry[:8], "--json").value()["tags"] == []
    laptop.run("sync")
    assert {tag["name"] for tag in laptop.run("tags", "--json").values()} == {"Garden", "work"}


def test_tags_that_no_entry_has_are_cleaned_up(laptop: CommandLine) -> None:
    entry = laptop.run("write", "four", "--tag", "short-lived").out.strip()
    laptop.run("sync")
    laptop.run("delete", entry[:8])
    assert laptop.run("tags", "cleanup", "--days", "1", "--json").value() == {"removed": []}
    assert laptop.run("tags", "cleanup", "--json").value() == {"removed": ["short-lived"]}


def test_entries_are_listed_by_their_source(laptop: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    file.write_text('{"date": "2020-01-01", "text": "imported"}\n')
    laptop.run("import", str(file))
    assert [entry["body"] for entry in laptop.run("list", "--source", "JSONL", "--json").values()] == ["imported"]
    assert "imported" not in {entry["body"] for entry in laptop.run("list", "--source", "cli", "--json").values()}
