"""Second factors on the command line, at a terminal and from a script."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pyotp

from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer
from tests.support.terminals import Terminal

SECRET = re.compile(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})")
CODE = re.compile(r"^    ([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})$", re.MULTILINE)


def wrong(app: pyotp.TOTP) -> str:
    """A code that the app does not show around now."""
    near = {app.at(datetime.now(UTC), counter_offset=step) for step in range(-3, 4)}
    return next(code for code in map("{:06}".format, range(10)) if code not in near)


def test_an_app_is_added_asked_for_and_removed(tmp_path: Path, server: RunningServer) -> None:
    laptop, phone = CommandLine(tmp_path, "laptop"), CommandLine(tmp_path, "phone")
    email = fresh_email()
    place = ("--server", server.url, "--email", email)
    laptop.run("register", *place, "--device-name", "laptop")
    assert "no second factor" in laptop.run("factors").out
    assert laptop.run("factors", "add", "totp", code=2).out == ""

    with Terminal(laptop, "factors", "add", "totp", "--name", "my phone") as terminal:
        before = terminal.wait_for("Code that the app shows now: ")
        found = SECRET.search(before)
        assert found is not None
        assert "\u2588" in before or "\u2580" in before  # the QR code
        app = pyotp.TOTP(found[1].replace(" ", ""))
        terminal.type(wrong(app))
        terminal.wait_for("Code that the app shows now: ")
        terminal.type(app.now())
        assert terminal.end() == 0
    assert "No other device was logged in." in terminal.seen
    codes = CODE.findall(terminal.seen)
    assert len(set(codes)) == 10

    # A script without a code is told, and one with a wrong one is not asked again.
    error = phone.run("login", *place, "--device-name", "phone", "--json", code=3).error()
    assert (error["code"], error["name"]) == ("second_factor_required", "SecondFactorRequired")
    refused = phone.run(
        "login", *place, "--device-name", "phone", environment={"LOCKLEAF_SECOND_FACTOR": wrong(app)}, code=3
    )
    assert "The code is wrong" in refused.err
    # It loads itself, and holds the account of a command that was forked to the usual costs.
    with Terminal(phone, "login", *place, "--device-name", "phone", "--allow-weak-kdf") as terminal:
        terminal.wait_for("Code of your authenticator app, or a factor code: ")
        terminal.type(wrong(app))
        terminal.wait_for("That code is wrong")
        terminal.wait_for("or a factor code: ")
        terminal.type(codes[0].lower())
        assert terminal.end() == 0
    devices = phone.run("devices").out
    assert re.search(r"laptop.*registration", devices)
    assert re.search(r"phone.*password, factor code", devices)

    listed = laptop.run("factors")
    assert "my phone" in listed.out
    assert "9 factor codes are left." in listed.out
    assert "wrong codes were sent" in listed.out
    factor = laptop.run("factors", "--json").value()["items"][0]
    fresh = laptop.run("factors", "codes", "--json", environment={"LOCKLEAF_SECOND_FACTOR": codes[1]}).value()["codes"]
    assert len(fresh) == 10
    assert laptop.run("factors", "remove", factor["id"][:8], code=2).err.startswith("error: This is the last factor")
    laptop.run("factors", "remove", factor["id"], "--yes", environment={"LOCKLEAF_SECOND_FACTOR": fresh[0]})
    phone.run("logout")
    phone.run("login", *place)
    assert PASSWORD not in listed.out + listed.err
