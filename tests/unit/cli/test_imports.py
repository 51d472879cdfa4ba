"""What starting a command loads."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from lockleaf.cli.app import build
from lockleaf.cli.commands import COMMANDS
from lockleaf.cli.summaries import SUMMARIES
from tests.support.offline_devices import offline_device

SENDING = ("httpx", "httpcore", "h11", "lockleaf.client.transport.http", "lockleaf.client.transport.connections")
SELDOM = (
    "lockleaf.client.account.account",
    "lockleaf.client.account.enrolment",
    "lockleaf.client.account.key_rotation",
    "lockleaf.client.journal.exporters.destinations",
    "lockleaf.client.journal.exporters.folder",
    "lockleaf.client.journal.importers",
    "lockleaf.client.journal.import_report",
    "lockleaf.client.journal.imports",
    "lockleaf.client.media.downloads",
    "lockleaf.client.media.object_store",
    "lockleaf.client.media.uploads",
    "lockleaf.client.metrics",
    "lockleaf.client.search.indexer",
    "lockleaf.client.store.contributions",
    "lockleaf.client.sync",
    "lockleaf.wire.accounts",
    "lockleaf.wire.analytics",
    "lockleaf.cli.account",
    "lockleaf.cli.serve",
    "keyring",
    "numpy",
    "PIL",
    "tenseal",
    "pygments",
)
BODIES = ("pydantic", "pydantic_core", "pydantic_settings", "annotated_types", "lockleaf.wire.base")
SERVER = ("lockleaf.server", "fastapi", "sqlalchemy", "uvicorn")


def loaded_by(home: Path, *arguments: str, code: int = 0, says: str | None = None) -> set[str]:
    """The modules that a command has loaded when it ends; it prints ``says``, if that is given."""
    program = (
        "import sys; from lockleaf.cli.main import main\n"
        "try: sys.exit(main())\n"
        "finally: print(*(name for name, module in sys.modules.items() if module), file=open('modules', 'w'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments, "--home", str(home)],
        cwd=home,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    assert says is None or done.stdout == says
    return set((home / "modules").read_text().split())


def of(packages: tuple[str, ...], loaded: set[str]) -> set[str]:
    return {name for name in loaded if name in packages or name.startswith(tuple(f"{each}." for each in packages))}


@pytest.fixture
async def entry(tmp_path: Path) -> str:
    """The only entry of a device without a server, whose home is ``tmp_path``."""
    async with offline_device(tmp_path) as (client, _):
        return (await client.journal.write(body="A walk along the river", tags=("outside",))).id


@pytest.mark.parametrize("command", ["list --help", "--help", "--version"])
def test_help_loads_neither_the_sdk_nor_the_server(tmp_path: Path, command: str) -> None:
    loaded = loaded_by(tmp_path, *command.split())
    below = {name for name in loaded if name.startswith("lockleaf.client.")} - {"lockleaf.client.places"}
    heavy = (
        "httpx",
        "keyring",
        "rich.progress",
        "rich.markdown",
        "markdown_it",
        "pygments",
        "asyncio",
        "ssl",
        *BODIES,
        *SERVER,
    )
    assert below | of(heavy, loaded) == set()


def test_help_loads_a_command_when_it_is_the_help_of_that(tmp_path: Path) -> None:
    modules = set(COMMANDS)
    assert modules & loaded_by(tmp_path, "list", "--help") == {"lockleaf.cli.reading"}
    assert modules & loaded_by(tmp_path, "--version") == set()
    assert modules & loaded_by(tmp_path, "--help") == set()


@pytest.mark.parametrize(
    "command",
    [
        "list",
        "list --json",
        "write morning",
        "edit {entry} evening",
        "delete {entry}",
        "show {entry}",
        "show {entry} --json",
        "status --offline",
        "tags",
        "drafts",
        "inbox",
        "conflicts",
        "media list",
        "search river",
    ],
)
def test_daily_commands_load_nothing_to_send_with_and_nothing_seldom_used(
    tmp_path: Path, entry: str, command: str
) -> None:
    loaded = loaded_by(tmp_path, "--profile", "laptop", *command.format(entry=entry).split())
    assert "lockleaf.client.client" in loaded
    assert of((*SENDING, *SELDOM, *BODIES, *SERVER), loaded) == set()


@pytest.mark.parametrize("command", ["list", "show {entry}", "status --offline"])
def test_what_only_shows_loads_no_editor_and_nothing_to_write_with(tmp_path: Path, entry: str, command: str) -> None:
    loaded = loaded_by(tmp_path, "--profile", "laptop", *command.format(entry=entry).split())
    writing = ("lockleaf.cli.editor", "lockleaf.cli.piping", "lockleaf.cli.writing", "lockleaf.cli.drafts")
    assert of(writing, loaded) == set()


def test_completing_an_id_loads_no_more_than_listing_entries(
    tmp_path: Path, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_LOCKLEAF_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"lockleaf --home {tmp_path} --profile laptop show ")
    monkeypatch.setenv("COMP_CWORD", "6")
    loaded = loaded_by(tmp_path, says=f"{entry}\n")
    assert "lockleaf.client.client" in loaded
    assert of((*SENDING, *SELDOM, *BODIES, *SERVER, "rich"), loaded) == set()


@pytest.mark.parametrize("command", ["list", "status"])
def test_without_an_account_no_command_loads_the_server(tmp_path: Path, command: str) -> None:
    assert of((*SENDING, *BODIES, *SERVER), loaded_by(tmp_path, command, code=3)) == set()


@pytest.mark.usefixtures("entry")
def test_what_is_sent_is_sent_without_the_command_line_of_httpx(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "--profile", "laptop", "sync", code=6)
    assert "httpx" in loaded
    assert of(("httpx._main", "pygments"), loaded) == set()


def test_the_help_of_all_commands_says_of_each_what_it_says_of_itself() -> None:
    said: dict[str, dict[str, str]] = {}
    app = get_command(build())
    for name, command in app.commands.items():
        if not command.hidden:
            summary = " ".join(inspect.cleandoc(command.help).split("\n\n")[0].split())
            said.setdefault(command.rich_help_panel, {})[name] = summary
    assert {panel: list(summaries.items()) for panel, summaries in SUMMARIES.items()} == {
        panel: list(summaries.items()) for panel, summaries in said.items()
    }
    assert list(SUMMARIES) == list(said)


def test_each_module_has_the_commands_that_are_looked_for_in_it() -> None:
    for module, names in COMMANDS.items():
        app = typer.Typer()
        import_module(module).install(app)
        group = typer.main.get_group(app)
        assert set(group.commands) == set(names.split()), module
