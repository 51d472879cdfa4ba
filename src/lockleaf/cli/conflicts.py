"""``conflicts`` and ``resolve``: two versions of an entry, and which one stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.completion import complete_conflict
from lockleaf.cli.editor import Draft, Task
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.piping import refused_bytes
from lockleaf.cli.rendering import conflict_json, diff_of, entry_json, headline, printable, short_id
from lockleaf.cli.run import Run
from lockleaf.cli.standard_input import read_file
from lockleaf.cli.writing import BaseVersion
from lockleaf.exit_codes import ExitCode

__all__ = ["install", "marked", "still_marked"]

PANEL = "Devices and sync"

ConflictId = Annotated[
    str,
    typer.Argument(help="The conflict's id, or its first four characters or more.", metavar="ID",
                   autocompletion=complete_conflict, show_default=False),
]  # fmt: skip
_SHORTEST = 4
_LOCAL, _BETWEEN, _REMOTE = "<<<<<<< local", "=======", ">>>>>>> remote"


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    conflicts = group(app, "conflicts", panel=PANEL)(list_conflicts)
    command(conflicts, "show")(show_conflict)
    command(app, "resolve", panel=PANEL)(resolve)


async def list_conflicts(
    run: Run,
    decided: Annotated[
        bool, typer.Option("--decided", help="Instead those that are decided, whose text is still on this device.")
    ] = False,
) -> None:
    """List entries of which two versions wait for your decision."""
    async with run.client() as client:
        conflicts = await client.journal.conflicts(decided=decided)
    if run.json:
        for conflict in conflicts:
            run.result(conflict_json(conflict))
        return
    if not conflicts:
        run.note("No decided conflicts." if decided else "No open conflicts.")
        return

    table = screen.Table("id", "entry", "local", "remote", "since", box=screen.box.SIMPLE_HEAD, pad_edge=False)
    for conflict in conflicts:
        table.add_row(
            short_id(conflict.id),
            short_id(conflict.entry_id),
            screen.Text(_version(conflict.local)),
            screen.Text(_version(conflict.remote)),
            conflict.detected_at.astimezone().isoformat(sep=" ", timespec="minutes")[:16],
        )
    run.show(table)
    if not decided:
        _warn_of_retired_keys(run, conflicts)
        run.note("lockleaf conflicts show ID compares both; lockleaf resolve ID local, remote or merged decides.")


async def show_conflict(run: Run, conflict: ConflictId) -> None:
    """Show both versions and what differs: lines with - are in the remote one, with + in the local one."""
    async with run.client() as client:
        open_ones = await client.journal.conflicts()
        try:
            found = find(open_ones, conflict)
        except sdk.ConflictNotFound:
            found = find(await client.journal.conflicts(decided=True), conflict)
    if run.json:
        run.result(conflict_json(found) | {"diff": diff_of(found)})
        return

    run.show(screen.Text(f"conflict {short_id(found.id)} of entry {short_id(found.entry_id)}", style="bold"))
    run.show(screen.Text(f"remote: {_version(found.remote)}\nlocal:  {_version(found.local)}", style="dim"))
    _warn_of_retired_keys(run, [found])
    colors = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff_of(found).splitlines():
        run.show(screen.Text(printable(line), style=colors.get(line[:1], "")))


def _warn_of_retired_keys(run: Run, conflicts: Sequence[sdk.Conflict]) -> None:
    for conflict in conflicts:
        if not conflict.authentic:
            run.note(
                f"Conflict {short_id(conflict.id)} is not authenticated: a key that you have given up sealed its local "
                "version. One of your devices may have written it before that, or whoever has a lost device made it up."
            )


async def resolve(
    run: Run,
    conflict: ConflictId,
    choice: Annotated[
        Literal["local", "remote", "merged"],
        typer.Argument(
            help="local: the version that could not be merged; remote: the entry as it stands; merged: your own.",
            metavar="local|remote|merged",
            show_default=False,
        ),
    ],
    body_file: Annotated[
        str | None,
        typer.Option("--body-file", help="For merged: the text, from a file or - for standard input.", metavar="FILE"),
    ] = None,
    base: BaseVersion = None,
) -> None:
    """Decide a conflict. The next sync carries the decision to your other devices.

    merged opens your editor with both versions marked, unless --body-file gives the text.
    """
    if body_file is not None and choice != "merged":
        raise Complaint("--body-file goes with merged.")

    refused: sdk.EditConflict | None = None
    async with run.client() as client:
        found = find(await client.journal.conflicts(), conflict)
        if choice != "merged":
            entry = await client.journal.resolve(found.id, choice, base=base or found.remote)
        elif body_file is not None:
            merged = read_file(body_file)
            async with refused_bytes(run, merged, {}, found.entry_id, found.id) as kept:
                kept.drafts = client.drafts
                if merged.trouble is not None:
                    raise Complaint(merged.trouble, ExitCode.INPUT, "InvalidText")
                entry = await client.journal.resolve(
                    found.id, choice, base=base or found.remote, merged_body=merged.text
                )
        else:
            seen = found.remote.version if found.remote is not None else None
            both = sdk.DraftContent(initial=marked(found).encode(), base=base or seen)
            with Draft(run, client.drafts, Task("resolve", both, found.entry_id, found.id)) as draft:
                typed = draft.write()
                if typed is None:
                    run.note("Nothing was changed, so nothing was decided.")
                    return
                if still_marked(typed):
                    raise Complaint("The text still has the marks of both versions, so nothing was decided.")
                try:
                    entry = await client.journal.resolve(found.id, choice, base=base or found.remote, merged_body=typed)
                except sdk.EditConflict as error:
                    refused = error
                draft.saved()
        if refused is not None:
            raise refused  # the text is in the new conflict, and its draft need not stay
    if run.json:
        run.result({"id": found.id, "choice": choice, "entry": entry_json(entry) if entry else None})
    else:
        run.line(found.entry_id)
        run.note("Decided. lockleaf sync carries it to your other devices.")


def find(conflicts: list[sdk.Conflict], wanted: str) -> sdk.Conflict:
    """Return the conflict whose id, or whose entry's id, begins with ``wanted``.

    Raises:
        ConflictNotFound, IdAmbiguous, IdTooShort: none does, several do, or any could.
    """
    start = wanted.strip().lower()
    fitting = {
        item.id: item
        for item in conflicts
        if any(known is not None and known.startswith(start) for known in (item.id, item.entry_id, item.first_id))
    }
    if len(fitting) == 1 and len(start) >= _SHORTEST:
        return next(iter(fitting.values()))
    if len(start) < _SHORTEST and fitting:
        raise sdk.IdTooShort
    if fitting:
        raise sdk.IdAmbiguous(tuple(each[:8] for each in fitting))
    raise sdk.ConflictNotFound


def marked(conflict: sdk.Conflict) -> str:
    """Return both bodies, one behind the other, with marks around them, for an editor."""
    local, remote = (version.body if version else "" for version in (conflict.local, conflict.remote))
    return "\n".join((_LOCAL, local.rstrip("\n"), _BETWEEN, remote.rstrip("\n"), _REMOTE)) + "\n"


def still_marked(text: str) -> bool:
    """Return whether a mark of `marked` stands in the text."""
    return any(line.rstrip() in (_LOCAL, _REMOTE) for line in text.splitlines())


def _version(entry: sdk.Entry | None) -> str:
    return headline(entry, 40) if entry is not None and not entry.deleted else "(deleted)"
