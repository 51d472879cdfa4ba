"""``open``: an attachment is fetched, decrypted here, and saved or viewed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from lockleaf import client as sdk
from lockleaf.cli.completion import complete_media
from lockleaf.cli.errors import Complaint
from lockleaf.cli.files import shown_size, viewable
from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.rendering import short_id
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import shown_name
from lockleaf.exit_codes import ExitCode

__all__ = ["install"]


def install(app: typer.Typer, panel: str) -> None:
    """Add the command to ``app``."""
    command(app, "open", panel=panel)(open_attachment)


async def open_attachment(
    run: Run,
    which: Annotated[
        str,
        typer.Argument(help="An entry's id or an attachment's, or its first four characters or more.", metavar="ID",
                       autocompletion=complete_media, show_default=False),
    ],
    name: Annotated[
        str | None, typer.Argument(help="Which attachment of the entry, by its name.", metavar="NAME")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="A file or folder; - is standard output. Else the working folder.",
                     metavar="PATH"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace a file that is there.")] = False,
    view: Annotated[bool, typer.Option("--view", help="Open it with this machine's program for such files. "
            "Nothing is saved where there is none.")] = False,
) -> None:  # fmt: skip
    """Fetch an attachment, decrypt it here, and save it under its name once it is known to be right."""
    if output == "-" and (view or run.json):
        raise Complaint("--output - excludes --view and --json.")
    _check_folder(output)
    async with run.client() as client:
        media_object = await _chosen(client, which, name)
        if view and not viewable(media_object):
            raise Complaint(
                "Files of this type are not opened for you: they might be programs. Leave --view out.",
                ExitCode.USAGE,
                "NotViewable",
            )
        if view:
            _require_viewer()
        with progress_bars(run) as move:
            try:
                if output == "-":
                    await client.media.copy(media_object, sys.stdout.buffer, progress=move)
                    return
                saved = await client.media.download(
                    media_object, Path(output) if output is not None else None, overwrite=force, progress=move
                )
            except FileExistsError as error:
                raise Complaint(
                    f"{error.filename} is there already. --force replaces it; --output saves to another place.",
                    ExitCode.CONFLICT,
                    "FileExists",
                ) from None
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    raise
                where = f"{error.filename}: " if isinstance(error.filename, str) else ""
                raise Complaint(
                    f"It cannot be written: {where}{error.strerror}.", ExitCode.LOCAL, "CannotWrite"
                ) from None
    if run.json:
        run.result({"file": str(saved), "media_id": media_object.media_id, "bytes": media_object.size})
    else:
        run.line(f"Saved {shown_size(media_object.size)} to {saved}.")
    if view:
        typer.launch(str(saved.absolute()))


def _require_viewer() -> None:
    """Refuse to save a file in plain that nothing here could show."""
    if sys.platform == "linux" and shutil.which("xdg-open") is None:
        raise Complaint(
            "This machine has no program that opens files by their type (xdg-open). Nothing was saved. Leave --view "
            "out to save it.",
            ExitCode.USAGE,
            "NoViewer",
        )


def _check_folder(output: str | None) -> None:
    """Refuse a folder that is not there: a path forgets the slash behind it, and would be taken for a file."""
    if output is not None and output.endswith(os.sep) and not Path(output).is_dir():
        raise Complaint(f"There is no folder {output}.", ExitCode.USAGE, "NoSuchFolder")


async def _chosen(client: sdk.Client, which: str, name: str | None) -> sdk.MediaObject:
    """Return the object that is meant: of an entry the one of ``name``, or its only one; else that of an id."""
    try:
        listed = await client.media.list(which)
    except sdk.EntryNotFound:
        try:
            return await client.media.get_object(which)
        except sdk.AttachmentNotFound:
            raise Complaint.like(
                sdk.AttachmentNotFound, "There is no entry and no attachment of this id on this device."
            ) from None
    fitting = [each.attachment for each in listed if name is None or each.attachment.name == name]
    if len(fitting) == 1:
        return fitting[0]
    raise Complaint.like(sdk.AttachmentNotFound, _which(listed, name))


def _which(listed: list[sdk.ListedAttachment], name: str | None) -> str:
    if not listed:
        return "The entry has no attachments."
    known = ", ".join(f"{short_id(each.attachment.media_id)} {shown_name(each.attachment.name)}" for each in listed)
    if name is None:
        return f"The entry has several attachments: say which. It has {known}."
    return f"The entry has no attachment of this name, or several: use an id. It has {known}."
