"""``repair``: going on with a server whose history this device refused, without losing a word."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.errors import Complaint
from lockleaf.cli.keys import show_codes
from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.rendering import printable
from lockleaf.cli.run import Run
from lockleaf.exit_codes import ExitCode

__all__ = ["install"]

PANEL = "Devices and sync"
_WIDTH = 60
_BECOMES = {
    "entry": "The server does not have it. Send it again?",
    "edit": "The server has it without this. Merge it in?",
    "conflict": "The server has it otherwise. Keep both as a conflict?",
}


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "repair", panel=PANEL)(repair)


async def repair(
    run: Run,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Go on with what the server shows, and take everything in.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also where nothing is wrong with this device.")] = False,
) -> None:
    """Compare this device with what the server shows now, and send what it lacks. Nothing is deleted.

    For a server whose history does not match what this device verified: one put back from a backup, for example. The
    journal here is set aside whole, and stays until you delete it. A new login fetches what the server shows; what it
    lacks is sent again by the next sync, and what differs is merged or becomes a conflict. Journals that were set aside
    before are taken in too. Interrupted, run it again. The password is asked for, or taken from LOCKLEAF_PASSWORD.
    """
    asking = run.interactive and not yes
    declined: list[sdk.IntegrityError] = []

    def confirm(error: sdk.Doubt) -> bool:
        for sentence in error.details:
            run.note(printable(sentence))
        question = "Go on with what the server shows, before that device is repaired too?"
        if isinstance(error, sdk.ServerRestored):
            question = "Did the operator confirm that? Go on with what the server shows?"
        elif isinstance(error, sdk.KeyringRolledBack):
            run.note(
                "The server has an older keyring than this device has seen. Written again, the newer keys are sealed "
                "under the password that you just gave: whoever knows it, and gets at the server, has them. If "
                "somebody else may know it, say no, and ask the operator first."
            )
            question = "Did its operator confirm a restore? Write the newer keys there again?"
        if yes or (run.interactive and prompts.agrees(question)):
            return True
        declined.append(error)
        return False

    def choose(difference: sdk.Difference) -> bool:
        shown = difference.here or difference.there
        run.note(f"{difference.entry_id[:8]}  {_line(shown)}")
        return prompts.agrees(_BECOMES[difference.becomes], default=True)

    async with run.client() as client:
        with progress_bars(run) as progress:
            try:
                report = await client.sync.repair(
                    lambda: prompts.password(run),
                    confirm=confirm,
                    choose=choose if asking else None,
                    progress=None if asking else progress,
                    again=again,
                )
            except sdk.IntegrityError as error:
                if error not in declined:
                    raise
                raise Complaint(
                    "Nothing was changed: what the server shows was not confirmed. If its operator confirms it, "
                    "lockleaf repair --yes goes on.",
                    ExitCode.INTEGRITY,
                    "RestoreUnconfirmed",
                ) from None
    if run.json:
        run.result(_as_json(report))
    else:
        _tell(run, report)
        if report.codes is not None:
            show_codes(run, report.codes)


def _line(entry: Any) -> str:
    text = "" if entry is None else " ".join((entry.title or entry.body).split())
    text = printable(text)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _as_json(report: sdk.RepairReport) -> dict[str, Any]:
    taken = report.taken
    return {
        "sent_again": taken.sent_again,
        "merged": taken.merged,
        "conflicts": taken.conflicts,
        "left": taken.left,
        "tags": taken.tags,
        "inbox": taken.inbox,
        "media": taken.media,
        "aside": [str(path) for path in report.aside],
        "unreadable": [str(path) for path in report.unreadable],
        "keys_written_again": report.keys_again,
        "recovery_codes": list(report.codes or ()),
    }


def _tell(run: Run, report: sdk.RepairReport) -> None:
    taken = report.taken
    if not report.aside and not report.unreadable:
        run.line("Nothing to repair: the last sync found nothing wrong, and no journal is set aside.")
        return
    counts = (
        (taken.sent_again, "to be sent again"),
        (taken.merged, "merged"),
        (taken.conflicts, "kept as conflicts"),
        (taken.left, "left where they are"),
        (taken.tags, "tags"),
        (taken.inbox, "inbox items"),
        (taken.media, "files to be sent"),
    )
    said = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    run.line(f"Repaired: {said}." if said else "Repaired: the server has everything that was here.")
    for path in report.aside:
        run.note(f"The journal as it was is in {path}. It stays until you delete it.")
    for path in report.unreadable:
        run.note(f"{path} could not be read and stays as it is.")
    if report.keys_again:
        run.note(
            "This device's keys are in force again, under the password that you gave. Log in again on your other "
            "devices. If somebody else may know that password, change keys and password now: lockleaf keys rotate."
        )
    run.note("Next: lockleaf sync sends it.")
