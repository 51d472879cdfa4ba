"""What people know from other programs: counts, order, who was signed out, and no password typed for nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer
from tests.support.terminals import Terminal

EMAIL = fresh_email()


@pytest.fixture(scope="module")
def laptop(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    device = CommandLine(tmp_path_factory.mktemp("home"), "laptop")
    device.run("register", "--server", server.url, "--email", EMAIL, "--device-name", "laptop")
    for day in (2, 3, 1):
        device.run("write", f"of the {day}.", "--date", f"2026-11-0{day}", "--tag", "walks")
    device.run("write", "of long ago", "--date", "3 years ago")
    device.run("sync")
    return device


def test_lists_count_what_they_show(laptop: CommandLine) -> None:
    assert laptop.run("list").err == ""
    assert "4 entries.\n" in laptop.run("list", "--all").err
    assert "3 entries.\n" in laptop.run("list", "--tag", "walks").err
    assert "1 entry.\n" in laptop.run("list", "--tag", "walks", "--since", "2026-11-03").err
    assert "1 of 3 entries; --all shows all.\n" in laptop.run("list", "--tag", "walks", "--limit", "1").err
    assert "No entry fits.\n" in laptop.run("list", "--tag", "none").err


def test_what_the_server_lists_is_shown_newest_first(laptop: CommandLine) -> None:
    days = [entry["date"] for entry in laptop.run("list", "--remote", "--tag", "walks", "--json").values()]
    assert days == ["2026-11-03", "2026-11-02", "2026-11-01"]


def test_https_at_a_port_without_it_is_named(laptop: CommandLine, server: RunningServer) -> None:
    address = server.url.replace("http://", "https://")
    error = laptop.run("-p", "other", "register", "--server", address, "--email", EMAIL, "--json", code=6).error()
    assert error["name"] == "PlainHttpServer"


def test_an_email_that_is_none_is_a_usage_error(laptop: CommandLine, server: RunningServer) -> None:
    where = ("-p", "other", "register", "--server", server.url)
    error = laptop.run(*where, "--email", "not-an@", "--json", code=2).error()
    assert error["name"] == "InvalidLoginName"


def test_no_password_is_asked_for_before_address_and_profile_are_known_to_be_good(laptop: CommandLine) -> None:
    nowhere = ("--server", "http://127.0.0.1:9", "--email", EMAIL)
    for command, said in (
        (("login", *nowhere), "This profile has an account already."),
        (("register", *nowhere), "This profile has an account already."),
        (("-p", "other", "login", *nowhere), "The server cannot be reached."),
        (("-p", "other", "recovery", "use", *nowhere), "The server cannot be reached."),
        (("-p", "other", "password"), "No account is logged in here."),
        (("-p", "other", "recovery", "new"), "No account is logged in here."),
    ):
        with Terminal(laptop, *command, without=("LOCKLEAF_PASSWORD",)) as terminal:
            shown = terminal.wait_for(said)
            assert terminal.end() != 0
        assert "assword" not in shown, command
        assert "code:" not in shown, command


def test_a_file_is_saved_for_a_viewer_only_where_there_is_one(laptop: CommandLine, tmp_path: Path) -> None:
    if shutil.which("xdg-open") is not None:
        pytest.skip("this machine has a viewer")
    (tmp_path / "notes.txt").write_text("to be seen")
    entry = laptop.run("write", "with notes").out.strip()
    laptop.run("attach", entry, str(tmp_path / "notes.txt"))
    saved = tmp_path / "saved.txt"
    refused = laptop.run("open", entry, "--view", "--output", str(saved), "--json", code=2).error()
    assert refused["name"] == "NoViewer"
    assert not saved.exists()


def test_new_recovery_codes_say_who_was_signed_out(laptop: CommandLine, server: RunningServer) -> None:
    phone = CommandLine(laptop.home, "phone")
    phone.run("login", "--server", server.url, "--email", EMAIL, "--device-name", "Ada's phone")
    assert "Signed out: Ada's phone. Log in there again." in laptop.run("recovery", "new").out
    made = laptop.run("recovery", "new", "--json").value()
    assert made["signed_out"] == []
    last = {"LOCKLEAF_RECOVERY_CODE": made["recovery_codes"][0], "LOCKLEAF_NEW_PASSWORD": f"{PASSWORD} again"}
    assert "9 are left." in phone.run("recovery", "use", environment=last).out
