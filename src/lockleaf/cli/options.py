"""The options that every command takes, before its name and behind it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

import lockleaf
from lockleaf import client as sdk
from lockleaf.cli.beginning import begin_journal
from lockleaf.cli.completion import complete_profile
from lockleaf.cli.configuration import Configuration, configuration
from lockleaf.cli.errors import Complaint, ReaderGone
from lockleaf.cli.helping import Command, Group
from lockleaf.cli.interrupts import interrupts_raise, load_event_loop, run_to_end
from lockleaf.cli.process_start import collect_from_now_on
from lockleaf.cli.run import Run
from lockleaf.cli.second_factor import second_factor
from lockleaf.cli.unlocking import open_journal
from lockleaf.exit_codes import ExitCode
from lockleaf.text import is_utf8

__all__ = ["Color", "Home", "JsonOutput", "ProfileName", "Quiet", "command", "group", "install_common", "run_of"]

_PANEL = "Options of every command"

ProfileName = Annotated[
    str | None,
    typer.Option("--profile", "-p", help="Which profile: one account on one device.", autocompletion=complete_profile,
                 metavar="NAME", rich_help_panel=_PANEL),
]  # fmt: skip
Home = Annotated[
    Path | None, typer.Option("--home", help="Where profiles are kept.", metavar="FOLDER", rich_help_panel=_PANEL)
]
JsonOutput = Annotated[
    bool, typer.Option("--json", help="Results and errors as JSON, one value a line.", rich_help_panel=_PANEL)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Results and errors only.", rich_help_panel=_PANEL)]
Color = Annotated[bool, typer.Option("--no-color", help="No colours; NO_COLOR does it too.", rich_help_panel=_PANEL)]

_COMMON: tuple[tuple[str, Any, Any], ...] = (
    ("profile", ProfileName, None),
    ("home", Home, None),
    ("json", JsonOutput, False),
    ("quiet", Quiet, False),
    ("no_color", Color, False),
)
_KEY = "lockleaf"
_FILES = {"FILE", "FOLDER", "PATH"}


def run_of(context: typer.Context, given: dict[str, Any] | None = None) -> Run:
    """Return what the common options decided: those behind the command win over those before it, and environment.

    Args:
        context: of the command.
        given: the common options behind the command.
    """
    chosen: dict[str, Any] = {}
    level: Any = context
    before: list[dict[str, Any]] = [given or {}]
    while level is not None:
        before.append(level.meta.get(f"{_KEY}.{level.command_path}", {}))
        level = level.parent
    for options in reversed(before):
        chosen.update({name: value for name, value in options.items() if value})
    if chosen.get("no_color"):
        # Typer prints its own errors, and an editor may be started.
        os.environ["NO_COLOR"] = "1"
    settled = configuration()
    if settled.color is False:
        os.environ["NO_COLOR"] = "1"
    return Run(
        home=_home(chosen.get("home"), settled),
        profile=chosen.get("profile") or os.environ.get("LOCKLEAF_PROFILE") or settled.profile or "default",
        json=bool(chosen.get("json")),
        quiet=bool(chosen.get("quiet")),
        color=not chosen.get("no_color") and settled.color is not False,
        unlock=open_journal,
        begin=begin_journal,
        second_factor=second_factor,
        settled=settled,
        options=frozenset(chosen),
    )


def _remember(context: typer.Context, given: dict[str, Any]) -> None:
    """Keep common options that were given to a group, for the command behind it."""
    context.meta[f"{_KEY}.{context.command_path}"] = given


def _home(given: Path | None, settled: Configuration) -> Path:
    """Return the folder of all profiles; it begins with a ``~`` still where the user has no home folder."""
    if given is None and settled.home is not None and not os.environ.get("LOCKLEAF_HOME"):
        given = Path(settled.home)
    try:
        return sdk.expanded(given) if given else sdk.default_home()
    except sdk.InvalidFolder:
        return given or Path(os.environ.get("LOCKLEAF_HOME") or "~")


def command(app: typer.Typer, name: str, *, panel: str | None = None, **settings: Any) -> Callable[..., Any]:
    """Register a function as the command ``name``.

    Its first parameter takes the `Run`; the others are the command's own, declared as Typer wants them. A coroutine
    function is run to its end. The common options are added.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        app.command(name, cls=Command, rich_help_panel=panel, **settings)(_with_common_options(function))
        return function

    return register


def group(app: typer.Typer, name: str, *, panel: str | None = None) -> Callable[..., typer.Typer]:
    """Register a function as what ``name`` does without a command behind it, and return the group for those.

    As for `command`, its first parameter takes the `Run`; others, which are options, count where no command follows.
    Its docstring is the group's help.
    """

    def register(function: Callable[..., Any]) -> typer.Typer:
        made = typer.Typer(cls=Group, invoke_without_command=True)
        made.callback(help=function.__doc__)(_with_common_options(function, of_group=True))
        app.add_typer(made, name=name, rich_help_panel=panel)
        return made

    return register


def _with_common_options(function: Callable[..., Any], *, of_group: bool = False) -> Callable[..., Any]:
    hints = get_type_hints(function, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]

    def wrapper(context: typer.Context, **values: Any) -> None:
        given = {option: values.pop(option) for option, _, _ in _COMMON}
        if of_group:
            _remember(context, given)
            if context.invoked_subcommand is not None:
                return
        collect_from_now_on()
        run = run_of(context, given)
        if inspect.iscoroutinefunction(function):
            load_event_loop()
        if "text" not in values:  # else what is piped to the command shall be kept first
            _require_text(context, values)
        try:
            with interrupts_raise():
                outcome = function(run, **values)
                if inspect.iscoroutine(outcome):
                    run_to_end(outcome)
                run.flush()
        except BrokenPipeError:
            # Typer would make a failure of it.
            raise ReaderGone from None

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(parameter.replace(kind=keyword, annotation=hints[parameter.name]) for parameter in own),
        *(inspect.Parameter(n, keyword, default=default, annotation=kind) for n, kind, default in _COMMON),
    ]
    _declare(wrapper, parameters)
    wrapper.__doc__ = function.__doc__
    wrapper.__name__ = function.__name__
    return wrapper


def _require_text(context: typer.Context, values: dict[str, Any]) -> None:
    """Refuse an argument that holds bytes which were not UTF-8 where it was read; files may have any name."""
    for parameter in context.command.params:
        value = values.get(parameter.name or "")
        given = value if isinstance(value, (list, tuple)) else [value]
        if any(isinstance(each, str) and not is_utf8(each) for each in given):
            metavar = getattr(parameter, "metavar", None) or (parameter.name or "").upper()
            if metavar in _FILES:
                continue
            name = parameter.opts[0] if parameter.opts[0].startswith("-") else metavar
            raise Complaint(
                f"{name} has bytes that are not UTF-8. A terminal or a script in another encoding gave them: set it to "
                "UTF-8, or write what you mean anew.",
                ExitCode.USAGE,
                "ArgumentNotText",
            )


def install_common(app: typer.Typer, epilog: str) -> None:
    """Give ``app`` the common options before the command's name, and ``--version``."""

    def version(asked: bool) -> None:
        if asked:
            typer.echo(f"lockleaf {lockleaf.__version__}")
            raise typer.Exit

    Version = Annotated[  # noqa: N806  (a type)
        bool, typer.Option("--version", "-V", callback=version, is_eager=True, help="Show the version.")
    ]

    def common(context: typer.Context, version: Any = False, **given: Any) -> None:
        del version
        _remember(context, given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        inspect.Parameter("version", keyword, default=False, annotation=Version),
        *(inspect.Parameter(n, keyword, default=default, annotation=kind) for n, kind, default in _COMMON),
    ]
    _declare(common, parameters)
    app.callback(epilog=epilog)(common)


def _declare(function: Callable[..., Any], parameters: list[inspect.Parameter]) -> None:
    """Let Typer see these parameters in a function that takes any."""
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
