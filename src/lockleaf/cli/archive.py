"""``archive``: everything that the server holds of the account, as it holds it, and reading that without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.counting import number_of
from lockleaf.cli.dates import entered_date
from lockleaf.cli.destinations import named
from lockleaf.cli.errors import Complaint
from lockleaf.cli.exporting import ExportForm, ExportFormOption, Force, Revisions, end, said_by_name, tell
from lockleaf.cli.filters import Deleted, Mood, Since, Source, Tag, Until
from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.run import Run
from lockleaf.exit_codes import ExitCode

__all__ = ["install", "save"]

PANEL = "Account"
_OWN_VALUE = {"--profile", "-p", "--home"}
"""Options of every command behind which a word follows that is no command."""


class _SavesByDefault(TyperGroup):
    """``lockleaf archive FILE`` saves: a group whose first word is a file and no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = iter(args)
        for word in words:
            if word in _OWN_VALUE:
                next(words, None)
            elif not word.startswith("-"):
                if word not in self.commands:
                    args = ["save", *args]
                break
        return super().parse_args(ctx, args)


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    archive = typer.Typer(
        cls=_SavesByDefault,
        help="Everything that the server holds of your account, as it holds it. lockleaf archive FILE saves it.",
        no_args_is_help=True,
    )
    app.add_typer(archive, name="archive", rich_help_panel=PANEL)
    command(archive, "save")(save_archive)
    command(archive, "open")(open_archive)


async def save_archive(
    run: Run,
    file: Annotated[
        Path, typer.Argument(help="The ZIP file to write.", metavar="FILE", dir_okay=False, callback=named)
    ],
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the file if it is there.")] = False,
    without_files: Annotated[
        bool, typer.Option("--without-files", help="Leave out the sealed bytes of attached files.")
    ] = False,
) -> None:
    """Save everything that the server holds of your account, as it holds it: what is sealed stays sealed.

    The server makes the archive in the background; this waits for it, and puts in the attached files. Your password, or
    a recovery code that is good now, opens it: lockleaf archive open.
    """
    async with run.client() as client:
        saved = await save(run, client, file, force=force, files=not without_files)
    if run.json:
        run.result(
            {
                "file": str(saved.path),
                "bytes": saved.size,
                "sha256": saved.sha256.hex(),
                "files": saved.files,
                "missing": list(saved.missing),
            }
        )
    else:
        files = f", with {number_of(saved.files, 'attached file')}" if saved.files else ""
        run.line(f"Saved {number_of(saved.size, 'byte')} to {saved.path}{files}.")
    if saved.missing:
        named = ", ".join(each[:8] for each in saved.missing[:20])
        run.note(f"The server could not give {number_of(len(saved.missing), 'attached file')}: {named}.")
        raise typer.Exit(ExitCode.UNREACHABLE)


async def save(run: Run, client: sdk.Client, file: Path, *, force: bool, files: bool = True) -> sdk.Archive:
    """Write the archive of an account to a file, and return what was written.

    Raises:
        Complaint: a file is there, or it cannot be written.
    """
    with progress_bars(run) as move:
        try:
            return await client.fetch_archive(file, move, overwrite=force, files=files)
        except FileExistsError:
            raise Complaint(f"{file} is there already. --force replaces it.", ExitCode.CONFLICT, "FileExists") from None
        except OSError as error:
            raise Complaint(f"{file} cannot be written: {error.strerror}.", ExitCode.LOCAL) from None


async def open_archive(
    run: Run,
    file: Annotated[
        Path, typer.Argument(help="The archive.", metavar="FILE", exists=True, dir_okay=False, show_default=False)
    ],
    path: Annotated[
        Path,
        typer.Argument(
            help="A folder, or a ZIP file if it ends in .zip.", metavar="PATH", show_default=False, callback=named
        ),
    ],
    recovery_code: Annotated[
        bool, typer.Option("--recovery-code", help="Open it with a recovery code instead of the password.")
    ] = False,
    form: ExportFormOption = ExportForm.MARKDOWN,
    since: Since = None,
    until: Until = None,
    tag: Tag = None,
    mood: Mood = None,
    source: Source = None,
    revisions: Revisions = False,
    deleted: Deleted = False,
    force: Force = False,
) -> None:
    """Read an archive without a server, and write the journal in it in plain text, as lockleaf export does.

    It needs the password that the account had when the archive was made, or a recovery code that was good then. No
    profile on this device is needed or touched.
    """

    first, last = entered_date(since), entered_date(until)
    code = prompts.recovery_code(run) if recovery_code else None
    password = None if recovery_code else prompts.password(run)
    with progress_bars(run) as move, said_by_name(path):
        report = await sdk.export_archive(
            file,
            path,
            password=password,
            recovery_code=code,
            form=form.value,
            since=first,
            until=last,
            tag=tag,
            mood=mood,
            source=source,
            revisions=revisions,
            include_deleted=deleted,
            force=force,
            progress=move,
        )
    tell(run, report, path)
    end(report)
