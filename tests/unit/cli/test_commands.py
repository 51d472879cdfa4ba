"""How commands are typed, and what is said of those that cannot be run. No server is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockleaf.cli.errors import Complaint, complaint_of
from lockleaf.cli.main import main
from lockleaf.client import errors
from lockleaf.client.errors.claims import Claim
from lockleaf.exit_codes import ExitCode, epilog
from lockleaf.wire.problems import Problem

ERRORS = [getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)]


def made(kind: type[errors.LockleafError]) -> errors.LockleafError:
    if issubclass(kind, errors.ApiError):
        code = next((code for code, known in errors.ApiError.by_code.items() if known is kind), "code_of_tomorrow")
        return kind(Problem(type="about:blank", title="Title", status=400, detail="Detail", code=code))
    if issubclass(kind, errors.ServerRestored):
        return kind(Claim("epoch", 3, 5), (("entries", "a"),))
    if kind is errors.EditConflict:
        return errors.EditConflict("an entry's id", "a conflict's id")
    return kind("why")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LOCKLEAF_PROFILE", "LOCKLEAF_PASSWORD", "LOCKLEAF_DEBUG", "DATABASE_URL", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCKLEAF_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return tmp_path


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_sdk_has_an_exit_code_and_its_own_words(kind: type[errors.LockleafError]) -> None:
    error = made(kind)
    complaint = complaint_of(error)
    if kind is not errors.LockleafError:
        assert complaint.exit_code not in (ExitCode.OK, ExitCode.UNEXPECTED)
        assert complaint.message == str(error)
    if issubclass(kind, errors.IntegrityError):
        assert complaint.exit_code is ExitCode.INTEGRITY


def test_a_code_of_a_newer_server_is_a_refusal() -> None:
    assert complaint_of(made(errors.ApiError)).exit_code is ExitCode.CONFLICT


def test_an_error_says_what_kind_it_is_and_what_to_type_next() -> None:
    error = errors.EntryNotFound()
    assert (error.exit_code, error.category) == (ExitCode.NOT_FOUND, "not_found")
    assert complaint_of(error).hint == error.hint == "lockleaf list shows the ids"
    assert complaint_of(errors.DiskFull()).hint is None


def test_an_error_in_other_words_keeps_its_name_exit_code_and_hint() -> None:
    complaint = Complaint.like(errors.EntryNotFound, "No such entry here.")
    known = complaint_of(errors.EntryNotFound())
    assert (complaint.name, complaint.exit_code, complaint.hint) == (known.name, known.exit_code, known.hint)
    assert complaint.message == "No such entry here."


def test_an_unforeseen_exception_is_named_and_not_quoted() -> None:
    complaint = complaint_of(RuntimeError("dear diary"))
    assert (complaint.exit_code, "RuntimeError" in complaint.message) == (ExitCode.UNEXPECTED, True)
    assert "dear diary" not in complaint.message


def test_the_help_lists_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert epilog() in shown
    assert all(f" {code.value} " in epilog() for code in ExitCode)


@pytest.mark.parametrize(
    "arguments",
    [["--json", "list"], ["list", "--json"], ["--json", "list", "--json"], ["conflicts", "--json", "show", "abcd"]],
)
def test_common_options_stand_before_or_behind_the_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == ExitCode.CREDENTIALS
    assert json.loads(capsys.readouterr().err)["error"]["name"] == "NotLoggedIn"


def test_the_profile_behind_the_command_wins(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCKLEAF_PROFILE", "from-environment")
    told = []
    for arguments in (
        ["status", "--json"],
        ["-p", "before", "status", "--json"],
        ["-p", "before", "status", "--json", "-p", "behind"],
    ):
        assert main(arguments) == ExitCode.CREDENTIALS
        told.append(json.loads(capsys.readouterr().out)["profile"])
    assert told == ["from-environment", "before", "behind"]
    assert not any(home.iterdir())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], ExitCode.USAGE),
        (["list", "--limit", "0"], ExitCode.USAGE),
        (["list", "--since", "the third"], ExitCode.USAGE),
        (["--profile", "../elsewhere", "list"], ExitCode.USAGE),
        (["register", "--server", "http://127.0.0.1:9"], ExitCode.USAGE),
        (["register", "--server", "http://127.0.0.1:9", "--email", "a@example.org"], ExitCode.CREDENTIALS),
        (["edit", "abcd", "--tag", "a", "--no-tags"], ExitCode.USAGE),
        (["import", "/nowhere/at/all.jsonl"], ExitCode.USAGE),
        (["admin", "migrate"], ExitCode.USAGE),
        (["show", "abcd"], ExitCode.CREDENTIALS),
        (["sync"], ExitCode.CREDENTIALS),
    ],
)
def test_what_cannot_be_run_is_explained_without_a_traceback(
    arguments: list[str], code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err


def test_the_openapi_document_is_printed_without_a_server_and_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCKLEAF_DATA_DIR", str(home / "data"))
    assert main(["admin", "openapi"]) == 0
    assert "/api/v1/sync/push" in json.loads(capsys.readouterr().out)["paths"]
    assert not (home / "data").exists()
