"""What a script puts into the environment in the place of an answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lockleaf.cli import prompts
from lockleaf.cli.errors import Complaint
from lockleaf.cli.run import Run

SECRETS: dict[str, Callable[[Run], str]] = {
    "LOCKLEAF_PASSWORD": prompts.password,
    "LOCKLEAF_NEW_PASSWORD": lambda run: prompts.new_password(run, "LOCKLEAF_NEW_PASSWORD"),
    "LOCKLEAF_RECOVERY_CODE": prompts.recovery_code,
}
SECRET = "  six herons over a cold dyke"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(home=tmp_path, profile="default", json=False, quiet=False, color=False)


@pytest.mark.parametrize("variable", SECRETS)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"], ids=["none", "LF", "CR LF", "CR"])
def test_the_end_of_a_line_is_no_part_of_a_secret(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, end: str
) -> None:
    monkeypatch.setenv(variable, SECRET + end)
    assert SECRETS[variable](run) == SECRET


@pytest.mark.parametrize("variable", SECRETS)
@pytest.mark.parametrize(("given", "error"), [("\r\n", "NoPassword"), ("gr\udcfcn", "PasswordNotText")])
def test_a_secret_that_cannot_be_one_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, given: str, error: str
) -> None:
    monkeypatch.setenv(variable, given)
    with pytest.raises(Complaint) as told:
        SECRETS[variable](run)
    assert told.value.name == error
