"""The configuration file, and the manual page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docs.generate_man import PAGE, page
from lockleaf.cli.editors import editor_command
from lockleaf.cli.main import main


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("LOCKLEAF_PROFILE", "LOCKLEAF_HOME", "LOCKLEAF_UNLOCK_MINUTES", "VISUAL", "EDITOR", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LOCKLEAF_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path / "config.toml"


def settings(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, tuple[object, str]]:
    assert main(["config", "--json", *options]) == 0
    told = json.loads(capsys.readouterr().out)["settings"]
    return {key: (each["value"], each["from"]) for key, each in told.items()}


def test_options_win_over_the_environment_and_that_over_the_file(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert settings(capsys)["profile"] == ("default", "default")
    file.write_text(f'profile = "work"\nhome = "{tmp_path}"\nserver = "https://x.example"\nunlock_minutes = 5\n')
    assert settings(capsys) == {
        "profile": ("work", "file"),
        "home": (str(tmp_path), "file"),
        "server": ("https://x.example", "file"),
        "color": (True, "default"),
        "editor": (None, "default"),
        "unlock_minutes": (5, "file"),
    }
    monkeypatch.setenv("LOCKLEAF_PROFILE", "play")
    monkeypatch.setenv("LOCKLEAF_UNLOCK_MINUTES", "7")
    assert settings(capsys)["profile"] == ("play", "LOCKLEAF_PROFILE")
    assert settings(capsys)["unlock_minutes"] == ("7", "LOCKLEAF_UNLOCK_MINUTES")
    assert settings(capsys, "--profile", "rest")["profile"] == ("rest", "--profile")


def test_what_the_file_says_is_done(file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file.write_text(f'home = "{tmp_path}"\nserver = "ftp://x"\n'.replace("ftp://x", "http://127.0.0.1:9"))
    assert main(["login", "--email", "a@example.org"]) == 6  # it went there, and no server was named
    file.write_text('editor = "sh -c true"\n')
    assert editor_command() == ["sh", "-c", "true"]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('server = "https://x.example"\nprofil = "x"\n', "line 2: there is no key profil. Did you mean profile?"),
        ("color = 1\n", "line 1: color wants true or false."),
        ("\n\nunlock_minutes = true\n", "line 3: unlock_minutes wants a number of minutes"),
        ('server = "x.example"\n', "line 1: server wants a URL"),
        ('[server]\nurl = "https://x.example"\n', "line 1: server wants a URL"),
        ("profile = \n", "is not TOML"),
    ],
)
def test_what_means_nothing_is_named_with_its_line(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    file.write_text(text)
    assert main(["list", "--json"]) == 2
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["name"] == "InvalidConfiguration"
    assert str(file) in error["message"]
    assert said in error["message"]


def test_the_manual_page_is_that_of_the_commands() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate"
