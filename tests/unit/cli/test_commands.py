"""Names of commands that a hand knows from elsewhere, and ``help``."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockleaf.cli.main import main


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out + err


@pytest.mark.parametrize(("alias", "name"), [("ls", "list"), ("rm", "delete")])
def test_an_alias_is_its_command(capsys: pytest.CaptureFixture[str], alias: str, name: str) -> None:
    code, shown = said(capsys, alias, "--help")
    _, wanted = said(capsys, name, "--help")
    assert code == 0
    assert shown.replace(f"lockleaf {alias} ", f"lockleaf {name} ").split() == wanted.split()


@pytest.mark.parametrize("words", [["list"], ["media", "show"], ["ls"]])
def test_help_explains_a_command(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert said(capsys, "help", *words) == said(capsys, *words, "--help")


def test_help_alone_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "help") == said(capsys, "--help")


def test_a_command_that_is_none_is_refused_with_what_may_be_meant(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = said(capsys, "help", "lst")
    assert code == 2
    assert "Did you mean 'list'? lockleaf" in shown


def test_an_option_that_is_none_is_refused_with_what_may_be_meant(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = said(capsys, "list", "--sinse", "today")
    assert code == 2
    assert "Did you mean --since? lockleaf list --help" in shown


@pytest.mark.parametrize("words", ["export", "archive save", "archive open made.zip", "admin backup"])
def test_what_is_written_has_a_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made.zip").touch()
    code, shown = said(capsys, *words.split(), "-")
    assert (code, [each.name for each in tmp_path.iterdir()]) == (2, ["made.zip"])
    assert "name a folder or a file" in shown


def test_help_names_no_type_for_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = said(capsys, "list", "--help")
    flags = [line for line in shown.splitlines() if line.startswith(("│ --remote", "│ --json", "│ --all"))]
    assert len(flags) == 3
    assert "bool" not in shown


def test_the_help_of_all_commands_names_no_type_for_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = said(capsys, "--help")
    assert "--install-completion" in shown
    assert "<" not in shown


def test_help_names_no_type_for_a_flag_with_its_opposite(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = said(capsys, "devices", "link", "--help")
    (line,) = [line for line in shown.splitlines() if line.startswith("│ --qr")]
    assert "bool" not in line


def test_the_version_is_short_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "-V") == said(capsys, "--version")
