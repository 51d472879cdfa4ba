"""Search on the command line, on a device without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockleaf.cli.main import main
from tests.support.offline_devices import offline_device

CONTROL = "\x1b[31m"
OVERRIDE = "\u202e"


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    async def prepare() -> None:
        async with offline_device(tmp_path) as (client, _):
            body = f"Walked to the {CONTROL} river{OVERRIDE}, and\nit rained."
            await client.journal.write(body=body, title="River [walk]", mood="calm", date="2020-01-02")
            await client.journal.write(body="Rain, and no walk.", tags=["long days"], date="2020-01-01")

    asyncio.run(prepare())
    monkeypatch.setenv("LOCKLEAF_HOME", str(tmp_path))
    monkeypatch.setenv("LOCKLEAF_PROFILE", "laptop")
    monkeypatch.setenv("COLUMNS", "120")
    capsys.readouterr()
    yield


def test_hits_are_given_to_scripts_with_what_was_found_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "walking", "rain", "--json"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["title"], second["tags"]) == ("River [walk]", ["long days"])
    assert first["score"] > second["score"] > 0
    assert second["highlights"] == [{"field": "body", "text": "Rain, and no walk.", "marks": [[0, 4], [13, 17]]}]
    assert main(["search", "--json", "--", "-river", 'tag:"LONG days"']) == 0
    (only,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert only["id"] == second["id"]


def test_hits_are_shown_with_marks_and_nothing_of_them_commands_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["search", "river", "the"]) == 0
    seen = capsys.readouterr()
    head, body = seen.out.splitlines()
    assert "2020-01-02" in head
    assert "\x1b[1;33mRiver\x1b[0m [walk]" in head
    assert "Walked to the [31m \x1b[1;33mriver\x1b[0m, and it rained." in body
    assert CONTROL not in seen.out
    assert OVERRIDE not in seen.out
    assert "Too common to search for: the." in seen.err


def test_it_is_said_what_was_not_found_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", '"rain walk"']) == 0
    seen = capsys.readouterr()
    assert (seen.out, "No entry fits." in seen.err) == ("", True)
    assert main(["search", "rain", "-n", "1"]) == 0
    seen = capsys.readouterr()
    assert "1 of 2 entries; --all shows all." in seen.err
    assert main(["search", "rain", "--all", "-q"]) == 0
    seen = capsys.readouterr()
    assert (seen.out.count("2020-01-0"), seen.err) == (2, "")


def test_a_filter_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", 'rain from:yesterday (to:2020-13) -tag:"two words" from:2020 "as in to:late" mood:x']) == 0
    notes = capsys.readouterr().err
    assert "from:yesterday names no day" in notes
    assert "to:2020-13 names no day" in notes
    assert '-tag:"two words" was taken for words' in notes
    assert notes.count("names no day") == 2
    assert main(["search", "rain from:2020-01 to:2020"]) == 0
    assert "taken for words" not in capsys.readouterr().err


def test_a_query_that_asks_for_nothing_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    for query in ("-rain", "walk OR -rain"):
        assert main(["search", "--", query]) == 0
        assert "only says what must not be there" in capsys.readouterr().err
    for query in ("-rain from:2020", "the", "walk -rain"):
        assert main(["search", "--", query]) == 0
        assert "only says" not in capsys.readouterr().err


def test_a_word_with_a_minus_that_is_no_option_is_told_how_to_come_through(capsys: pytest.CaptureFixture[str]) -> None:
    for query in (["-rain"], ["walk", "-night"]):
        assert main(["search", *query]) == 2
        assert "lockleaf search -- 'walk -rain'" in capsys.readouterr().err
    assert main(["search", "--nonsense", "walk"]) == 2
    assert "search --" not in capsys.readouterr().err.replace("search --help", "")
    assert main(["search", "--", "rain", "-walk"]) == 0


def test_too_long_a_query_is_refused_without_quoting_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "plethora " * 10_000, "--json"]) == 9
    refused = capsys.readouterr().err
    assert json.loads(refused)["error"]["name"] == "InvalidSearch"
    assert "plethora" not in refused
