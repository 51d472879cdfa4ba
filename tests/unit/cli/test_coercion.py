"""What is typed is what a command takes, whoever coerces it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.main import get_command

from lockleaf.cli.helping import Command

Number = Annotated[int, typer.Option(min=1, max=10)]
Share = Annotated[float, typer.Option()]
Word = Annotated[Literal["one", "two"], typer.Option()]
Words = Annotated[list[str] | None, typer.Option()]
Flag = Annotated[bool, typer.Option("--value/--no-value")]
Place = Annotated[Path, typer.Option(exists=True, dir_okay=False)]
Anywhere = Annotated[Path | None, typer.Option()]
Text = Annotated[str | None, typer.Argument()]

CASES: tuple[tuple[Any, Any, list[str]], ...] = (
    *(
        (Number, 5, given)
        for given in ([], ["--value", "7"], ["--value", "+7"], ["--value", " 7 "], ["--value", "1_0"])
    ),
    *((Number, 5, ["--value", given]) for given in ("0", "11", "seven", "", "7.0", "7.5", "٧", "9" * 30)),
    *((Share, 0.5, given) for given in ([], ["--value", "7"], ["--value", "x"])),
    *((Word, "one", given) for given in ([], ["--value", "two"], ["--value", "TWO"], ["--value", "three"])),
    *((Words, None, given) for given in ([], ["--value", "a", "--value", "b c"], ["--value", ""])),
    *((Flag, False, given) for given in ([], ["--value"], ["--no-value"], ["--value=x"])),
    *((Place, None, given) for given in (["--value", "here"], ["--value", "folder"], ["--value", "nowhere"])),
    *((Anywhere, None, given) for given in ([], ["--value", "a/../b"], ["--value", ""], ["--value", "~"])),
    *((Text, None, given) for given in ([], ["a text"], [""], ["one", "two"])),
)


def taken(kind: Any, default: Any, given: list[str], command: Any) -> Any:
    app = typer.Typer()
    found: list[Any] = []

    def take(value: Any) -> None:
        found.append(value)

    parameter = inspect.Parameter("value", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)
    take.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
    take.__annotations__ = {"value": kind}
    app.command(cls=command)(take)
    try:
        get_command(app)(given, standalone_mode=False)
    except Exception as error:
        return type(error).__name__, str(error)
    return found


@pytest.mark.parametrize(("kind", "default", "given"), CASES)
def test_it_is_what_typer_itself_makes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, default: Any, given: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").touch()
    (tmp_path / "folder").mkdir()
    assert taken(kind, default, given, Command) == taken(kind, default, given, None)
