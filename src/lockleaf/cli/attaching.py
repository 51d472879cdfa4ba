"""``attach`` and ``media``: files that belong to entries; ``open`` and the stores they go to beside them."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from lockleaf import client as sdk
from lockleaf.cli import attachment_stores, opening
from lockleaf.cli.completion import complete_entry, complete_media
from lockleaf.cli.entry_ids import EntryId
from lockleaf.cli.errors import Complaint
from lockleaf.cli.files import (
    attachment_json,
    media_json,
    media_note,
    media_table,
    media_view,
    report_json,
    shown_size,
)
from lockleaf.cli.options import command, group
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.prompts import confirm
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import shown_name
from lockleaf.exit_codes import ExitCode

__all__ = ["install"]

PANEL = "Journal"

MediaId = Annotated[
    str,
    typer.Argument(help="The attachment's id, or its first four characters or more.", metavar="ID",
                   autocompletion=complete_media, show_default=False),
]  # fmt: skip


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    command(app, "attach", panel=PANEL)(attach)
    opening.install(app, PANEL)
    media = group(app, "media", panel=PANEL)(list_media)
    command(media, "list")(list_media)
    command(media, "show")(show_media)
    command(media, "resume")(resume)
    command(media, "delete")(delete)
    command(media, "restore")(restore)
    attachment_stores.install(media)


async def attach(
    run: Run,
    entry: EntryId,
    files: Annotated[
        list[Path], typer.Argument(help="The files, each up to 5 GB.", metavar="FILE...", show_default=False)
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="How the file shall be called; else as it is.", metavar="TEXT")
    ] = None,
    media_type: Annotated[
        str | None, typer.Option("--type", help="What it is, such as image/jpeg; else by its name.", metavar="TYPE")
    ] = None,
) -> None:
    """Attach files to an entry, and print their ids. They are encrypted here; lockleaf sync sends them."""
    if name is not None and len(files) > 1:
        raise Complaint("--name is for one file.")
    for file in files:
        _check_readable(file)
    async with run.client() as client:
        for file in files:
            made = await _attach_one(run, client, entry, file, name, media_type)
            if run.json:
                run.result(media_json(await client.media.get(made.media_id)))
            else:
                run.line(made.media_id)
            run.flush()
    if run.interactive:
        run.note("Kept on this device. lockleaf sync carries it to your others.")


async def _attach_one(
    run: Run, client: sdk.Client, entry: str, file: Path, name: str | None, media_type: str | None
) -> sdk.Attachment:
    try:
        with progress_bars(run) as move:
            return await client.media.attach(entry, file, name=name, media_type=media_type, progress=move)
    except sdk.LockleafError:
        run.note(f"Not attached: {file}")
        raise


def _check_readable(file: Path) -> None:
    """Refuse what cannot be attached by its name, before any other file is."""
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise Complaint(f"{file} cannot be read: {error.strerror}.", ExitCode.INPUT, "NoSuchFile") from None
    if stat.S_ISDIR(mode):
        why = "it is a folder. Attach the files in it, or pack them into one"
    elif not stat.S_ISREG(mode):
        why = "it is a device or a pipe. Save what comes out of it, and attach that"
    elif not os.access(file, os.R_OK):
        why = "you may not read it"
    else:
        return
    raise Complaint(f"{file} cannot be attached: {why}.", ExitCode.INPUT, "NoSuchFile")


async def list_media(
    run: Run,
    entry: Annotated[
        str | None,
        typer.Option("--entry", help="Only of this entry.", metavar="ID", autocompletion=complete_entry),
    ] = None,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Those that were deleted here and can be restored.")
    ] = False,
) -> None:
    """List the attachments of the entries on this device."""
    if entry is not None and deleted:
        raise Complaint("--entry and --deleted exclude each other.")
    async with run.client() as client:
        found = await client.media.list(entry, deleted=deleted)
    if run.json:
        for each in found:
            run.result(media_json(each))
    elif found:
        run.show(media_table(found, run.out.width))
    else:
        run.note("Nothing was deleted here." if deleted else "No attachments.")


async def show_media(run: Run, media: MediaId) -> None:
    """Show what is known of an attachment, its thumbnail included."""
    async with run.client() as client:
        found = await client.media.get(media)
    if run.json:
        run.result(media_json(found))
    else:
        run.show(media_view(found))


async def resume(run: Run) -> None:
    """Send the attachments that wait, from where they were interrupted; lockleaf sync does it too."""
    async with run.client() as client:
        with progress_bars(run) as move:
            report = await client.media.resume(move)
    if run.json:
        run.result(report_json(report))
    else:
        # What went wrong is said once, as the error that it is.
        note = media_note(replace(report, trouble=None))
        if note is not None or report.trouble is None:
            run.line(note or "Every attachment is sent.")
    if report.trouble is not None:
        raise report.trouble
    if report.refused:
        raise typer.Exit(ExitCode.CONFLICT)


async def delete(
    run: Run,
    media: MediaId,
    for_good: Annotated[
        bool,
        typer.Option(
            "--for-good",
            help="Nobody can bring it back, and from the next sync on it counts for the quota no more. What "
            "was deleted on this device before can be named too.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before deleting for good.")] = False,
) -> None:
    """Take an attachment off its entry.

    It can be restored on this device for 30 days, and counts for the quota until then.
    """
    async with run.client() as client:
        if for_good and not yes:
            what = await _described(client, media)
            if not run.interactive:
                raise Complaint(f"{what} would be gone for good. --yes says that you mean it.")
            confirm(f"Delete {what} for good, for all your devices?")
        deleted = await (client.media.delete_for_good if for_good else client.media.delete)(media)
    _tell_changed(run, deleted, deleted=True)


async def restore(
    run: Run, media: Annotated[str, typer.Argument(help="Its id, or the beginning.", metavar="ID")]
) -> None:
    """Bring back an attachment that was deleted on this device; lockleaf media --deleted lists them."""
    async with run.client() as client:
        restored = await client.media.restore(media)
    _tell_changed(run, restored, deleted=False)


async def _described(client: sdk.Client, media: str) -> str:
    """Return name and size of the one attachment whose id begins so, be it deleted or not, for a question."""
    try:
        found = (await client.media.get(media)).attachment
    except sdk.AttachmentNotFound:
        among = await client.media.list(deleted=True)
        fitting = [each.attachment for each in among if each.attachment.media_id.startswith(media.strip().lower())]
        if len(fitting) != 1:
            raise
        (found,) = fitting
    return f"{shown_name(found.name)} ({shown_size(found.size)})"


def _tell_changed(run: Run, attachment: sdk.Attachment, *, deleted: bool) -> None:
    if run.json:
        run.result({"entry_id": attachment.entry_id, **attachment_json(attachment), "deleted": deleted})
        return
    run.line(attachment.media_id)
    if run.interactive:
        run.note("Kept on this device. lockleaf sync carries it to your others.")
