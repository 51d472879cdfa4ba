"""``lockleaf stats``, and the numbers of ``write`` and ``edit``, as people and scripts use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockleaf.exit_codes import ExitCode
from tests.support.command_line import CommandLine, fresh_email
from tests.support.process import RunningServer


def registered(server: RunningServer, home: Path) -> CommandLine:
    device = CommandLine(home, "laptop")
    device.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "laptop")
    return device


@pytest.fixture(scope="module")
def anybody(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A device for tests that ask nothing of what else is in its journal."""
    return registered(server, tmp_path_factory.mktemp("anybody"))


@pytest.fixture
def laptop(server: RunningServer, tmp_path: Path) -> CommandLine:
    device = registered(server, tmp_path)
    device.run("write", "one two three", "--date", "1661-03-17", "--mood", "happy", "--metric", "sleep_hours=7.5")
    device.run("write", "a sad, sad day", "--date", "1661-05-01", "--mood", "sad", "--metric", "sleep_hours=-2")
    return device


def test_statistics_come_from_the_device_until_they_are_switched_on(laptop: CommandLine) -> None:
    told = laptop.run("stats")
    assert "1661-03" in told.out
    assert "3.50 on average, from 2 values" in told.out
    assert "trend +0.50 a month" in told.out
    assert "lockleaf stats on" in told.err
    plain = laptop.run("stats", "--json").value()
    assert (plain["source"], plain["whole"]["total"], plain["whole"]["total_error"]) == ("device", 7.0, 0.0)

    assert "adds up encrypted numbers" in laptop.run("stats", "on").out
    summed = laptop.run("stats", "--json").value()
    assert (summed["source"], summed["metric"], summed["by"]) == ("server", "word_count", "month")
    assert [period["start"] for period in summed["periods"]] == ["1661-03-01", "1661-05-01"]
    assert abs(summed["whole"]["total"] - 7) <= summed["whole"]["total_error"] < 0.1
    told = laptop.run("stats")
    assert "From encrypted sums of the server" in told.err
    assert laptop.run("stats", "--local").out == laptop.run("stats", "--local", "--quiet").out
    assert laptop.run("sync", "--json").value()["metrics"] == {"on": True, "sent": 0, "waiting": 0, "error": None}

    refused = laptop.run("stats", "off", code=ExitCode.USAGE)
    assert "--yes" in refused.err
    laptop.run("stats", "off", "--yes")
    assert laptop.run("stats", "--json").value()["source"] == "device"
    assert laptop.run("stats", "on", "--json").value()["on"] is True
    rebuilt = laptop.run("stats", "rebuild", "--json").value()
    assert (rebuilt["on"], rebuilt["error"]) == (True, None)
    assert laptop.run("stats", "--json").value()["whole"]["count"] == 2


def test_bars_go_to_the_left_of_zero_for_what_is_below(laptop: CommandLine) -> None:
    rows = [line for line in laptop.run("stats", "--metric", "sleep_hours").out.splitlines() if line.startswith("1661")]
    high, low = rows
    assert high.split("█")[0].rstrip() == "1661-03"
    assert high.index("█") == low.rindex("█") + 1
    assert (high.split()[-2:], low.split()[-2:]) == (["7.50", "1"], ["-2.00", "1"])
    assert "There are no values of steps" in laptop.run("stats", "--metric", "steps").err
    weeks = laptop.run("stats", "--metric", "mood", "--by", "week", "--until", "1661-04-30", "--json").value()
    assert [(each["start"], each["count"], each["total"]) for each in weeks["periods"]] == [("1661-03-14", 1, 7.0)]
    assert weeks["trend"] is None


@pytest.mark.parametrize("given", ["sleep", "sleep=", "=7", "sleep=long", "sleep=1e9", "word_count=3", "sleep hours=7"])
def test_a_number_that_is_none_is_refused(anybody: CommandLine, given: str) -> None:
    outcome = anybody.run("write", "text", "--metric", given, "--json", code=None)
    if given == "sleep=":
        # Taking away what is not there changes nothing.
        assert outcome.value()["metrics"] == {}
        return
    assert outcome.code in (ExitCode.USAGE, ExitCode.INPUT)
    assert outcome.error()["name"] in ("UsageError", "InvalidEntry")


def test_numbers_are_shown_edited_and_taken_away(anybody: CommandLine) -> None:
    entry = anybody.run("write", "text", "--metric", "steps=9000", "--metric", "coffee=2").out.strip()
    assert "coffee: 2 · steps: 9000" in anybody.run("show", entry[:8]).out
    changed = anybody.run("edit", entry, "--metric", "coffee=", "--metric", "steps=9500.5", "--json").value()
    assert (changed["metrics"], changed["body"]) == ({"steps": 9500.5}, "text")
    assert anybody.run("edit", entry, "--title", "T", "--json").value()["metrics"] == {"steps": 9500.5}


def test_raising_the_tier_sets_everything_up(laptop: CommandLine) -> None:
    laptop.run("privacy", "set", "local_only", "--yes")
    assert "lockleaf stats shows" in laptop.run("privacy", "set", "analytics_sync").err
    assert laptop.run("stats", "--json").value()["source"] == "server"
    laptop.run("write", "four more words here", "--date", "1661-05-02")
    ended = laptop.run("sync", code=ExitCode.CONFLICT)
    assert "Encrypted metrics are up to date" in ended.err
    assert laptop.run("stats", "--json").value()["whole"]["count"] == 3
    laptop.run("privacy", "set", "full_sync")
    assert laptop.run("sync", "--json").value()["metrics"]["on"] is True
    assert laptop.run("stats", "--json", "--by", "year").value()["whole"]["count"] == 3
