"""What is typed is what a command takes, whoever coerces it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.main import get_command

from lockleaf.cli.app import build
from lockleaf.cli.helping import Command


class Form(StrEnum):
    PLAIN = "plain"
    RICH = "rich"


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
    ours, theirs = taken(kind, default, given, Command), taken(kind, default, given, None)
    if "Input should" in str(theirs) or "is not one of" in str(theirs):
        assert (ours[0], ours[1].startswith("use ")) == (
            theirs[0],
            True,
        )
    else:
        assert ours == theirs


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Number, "use a whole number from 1 to 10"),
        (Annotated[int, typer.Option(min=3)], "use a whole number, at least 3"),
        (Annotated[int, typer.Option()], "use a whole number"),
        (Annotated[list[int], typer.Option(min=3)], "use a whole number, at least 3"),
        (Annotated[float, typer.Option(min=0.5, max=2)], "use a number from 0.5 to 2"),
        (Word, "use one or two"),
        (Annotated[Literal["one", "two", "three"], typer.Option()], "use one, two or three"),
        (Annotated[Literal["one"], typer.Option()], "use one"),
        (Annotated[Form, typer.Option()], "use plain or rich"),
    ],
)
def test_what_is_refused_is_refused_in_words_that_say_what_to_type(kind: Any, words: str) -> None:
    assert taken(kind, None, ["--value", "nonsense"], Command) == ("BadParameter", words)


def commands(app: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    """Every command below an application, each with a context."""
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        below = typer.Context(command, info_name=name, parent=context)
        yield command, below
        if hasattr(command, "list_commands"):
            yield from commands(command, below)


def test_no_option_of_any_command_speaks_in_the_words_of_a_library() -> None:
    app = get_command(build())
    asked = 0
    for command, context in commands(app, typer.Context(app)):
        for parameter in command.get_params(context):
            kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
            for nonsense in ("nonsense", "-999999999", "9" * 30) if kind not in (None, str, bool) else ():
                value = [nonsense] if parameter.multiple or parameter.nargs == -1 else nonsense
                try:
                    parameter._runtime_param.coerce(value, parameter, context)
                except typer.BadParameter as error:
                    asked += 1
                    assert "Input should" not in error.message, (context.command_path, parameter.name)
                    assert "Value error" not in error.message, (context.command_path, parameter.name)
    assert asked > 40
