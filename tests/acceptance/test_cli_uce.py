"""The command line with an account in user-controlled encryption, on two devices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer


@dataclass
class Household:
    """An account with a device that is logged in, and its recovery codes."""

    server: str
    email: str
    laptop: CommandLine
    codes: list[str]

    def device(self, name: str, **environment: str) -> CommandLine:
        return CommandLine(self.laptop.home, name, environment)

    def login(self, device: CommandLine, *more: str, code: int = 0) -> None:
        where = ("--server", self.server, "--email", self.email, "--device-name", device.profile)
        device.run("login", *where, *more, code=code)


@pytest.fixture
def household(server: RunningServer, tmp_path: Path) -> Household:
    laptop, email = CommandLine(tmp_path, "laptop"), fresh_email()
    made = laptop.run(
        *("register", "--server", server.url, "--email", email, "--device-name", "laptop"),
        *("--custody", "uce", "--display-name", "Ada L.", "--json"),
    ).value()
    assert (made["encryption_tier"], len(made["recovery_codes"])) == ("uce", 10)
    return Household(server.url, email, laptop, made["recovery_codes"])


def test_two_devices_share_a_journal_once_each_user_said_uce(household: Household) -> None:
    entry = household.laptop.run("write", "written on the laptop").out.strip()
    household.laptop.run("sync")
    phone = household.device("phone")
    household.login(phone, code=3)
    household.login(phone, "--custody", "uce")
    phone.run("sync")
    assert phone.run("show", entry[:8], "--body").out == "written on the laptop"
    status = phone.run("status", "--json").value()
    assert status["encryption_tier"] == "uce"
    assert "the server can read" in phone.run("status").out


def test_a_choice_of_uce_says_what_it_means(server: RunningServer, tmp_path: Path) -> None:
    device = CommandLine(tmp_path, "other")
    where = ("--server", server.url, "--email", fresh_email(), "--device-name", "x")
    assert "can read" in device.run("register", *where, "--custody", "uce").err
    helped = " ".join(device.run("register", "--help").out.split())
    assert "Unless you choose uce" in helped


def test_custody_is_remembered_and_not_changed_by_a_slip(household: Household) -> None:
    household.laptop.run("logout")
    refused = household.laptop.run("login", "--custody", "e2e", "--json", code=7).error()
    assert refused["code"] == "custody_mismatch"
    household.laptop.run("login")
    household.laptop.run("sync")


def test_password_keys_and_codes_change_as_they_do_end_to_end(household: Household) -> None:
    laptop = household.laptop
    laptop.run("write", "before")
    laptop.run("sync")
    laptop.run("password", environment={"LOCKLEAF_NEW_PASSWORD": "a fresh password"})
    laptop.environment["LOCKLEAF_PASSWORD"] = "a fresh password"
    rotated = laptop.run("keys", "rotate", "--keep-password", "--json").value()
    assert not set(rotated["recovery_codes"]) & set(household.codes)
    laptop.run("write", "after")
    laptop.run("sync")
    tablet = household.device(
        "tablet", LOCKLEAF_RECOVERY_CODE=rotated["recovery_codes"][0], LOCKLEAF_NEW_PASSWORD=PASSWORD
    )
    where = ("--server", household.server, "--email", household.email, "--device-name", "tablet")
    tablet.run("recovery", "use", *where, "--custody", "uce")
    tablet.run("sync")
    assert {entry["body"] for entry in tablet.run("list", "--json").values()} == {"before", "after"}
    assert tablet.run("recovery", "--json").value() == {"remaining": 9}


def test_the_history_of_access_is_shown(household: Household) -> None:
    assert household.laptop.run("access", "--json").values() == []
    assert "nothing yet" in household.laptop.run("access").err
