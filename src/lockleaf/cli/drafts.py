"""``drafts``: what was typed or piped and is not in the journal."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.draft_folders import make_draft_folder, remove_plain
from lockleaf.cli.editor import Draft, Task
from lockleaf.cli.editors import editor_command, needs_terminal
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.run import Run
from lockleaf.cli.standard_input import GivenText, decoded, what_is_wrong
from lockleaf.cli.terminal import printable
from lockleaf.cli.unsaved import time_of
from lockleaf.exit_codes import ExitCode

__all__ = ["go_on_with", "install", "keep_piped", "tell_of_trouble"]

PANEL = "Journal"
_PURPOSES = {
    "write": "a new entry",
    "edit": "an edit of entry {}",
    "resolve": "a merged text for entry {}",
    "original": "the bytes as they were given of entry {}",
}

DraftId = Annotated[
    str,
    typer.Argument(help="The draft's id, or its first four characters or more.", metavar="ID", show_default=False),
]


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    drafts = group(app, "drafts", panel=PANEL)(list_drafts)
    command(drafts, "show")(show)
    command(drafts, "discard")(discard)


async def list_drafts(run: Run) -> None:
    """List what was typed or piped on this device and is not in the journal, oldest first.

    lockleaf write --draft ID goes on with one.
    """
    async with run.client() as client:
        drafts = client.drafts.list()
        edited = {draft.id for draft in drafts if client.drafts.is_edited(draft)}
    if run.json:
        for draft in drafts:
            run.result(_json(draft) | {"editor_is_open": draft.id in edited})
        return
    if not drafts:
        run.note("No drafts.")
        return
    for draft in drafts:
        where = f"unencrypted in {draft.path}" if draft.has_plain_file else "sealed in this profile"
        still = ", its editor is still open" if draft.id in edited else ""
        run.line(f"{draft.id}  {time_of(draft)}  {_purpose(draft)}, {where}{still}")
    run.note(
        "lockleaf drafts show ID prints one, lockleaf write --draft ID goes on with it, lockleaf drafts discard ID "
        "deletes it."
    )


async def show(run: Run, draft: DraftId) -> None:
    """Print the text of a draft, byte for byte. With --json also the fields that were given with it."""
    async with run.client() as client:
        found = client.drafts.find(draft)
        content = client.drafts.content(found)
    if run.json:
        text = content.text.decode("utf-8", "replace")
        run.result(_json(found) | {"text": text, "fields": dict(content.fields)})
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content.text)


async def discard(
    run: Run,
    draft: DraftId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before deleting it.")] = False,
) -> None:
    """Delete a draft for good, its unencrypted file included."""
    async with run.client() as client:
        found = client.drafts.find(draft)
        if client.drafts.is_edited(found):
            raise Complaint("Its editor is still open. Close it first.", ExitCode.CONFLICT, "EditorStillOpen")
        if not yes:
            if not run.interactive:
                raise Complaint("The draft would be gone for good. --yes says that you mean it.")
            prompts.confirm(f"Delete the draft of {time_of(found)}, {_purpose(found)}, for good?")
        _remove(client, found)
    if run.json:
        run.result({"discarded": found.id})
    else:
        run.line(found.id)


async def go_on_with(
    run: Run, client: sdk.Client, wanted: str, given: dict[str, Any], encoding: str | None
) -> sdk.Entry | None:
    """Save a draft as what it was begun for, after the editor has shown it where there is a terminal.

    Args:
        given: fields that replace those that were given with the draft.
        encoding: of the draft's bytes, where they are not UTF-8.

    Raises:
        DraftNotFound: there is no such draft.
        Complaint: its editor is still open, or it cannot be decoded.
    """
    found = client.drafts.find(wanted)
    if client.drafts.is_edited(found):
        raise Complaint("Its editor is still open. Save and close it first.", ExitCode.CONFLICT, "EditorStillOpen")
    content = client.drafts.content(found)
    try:
        text = decoded(content.text, encoding)
    except UnicodeDecodeError as error:
        raise Complaint(
            f"The draft is not all text. {what_is_wrong(content.text, error)} Name its encoding: lockleaf write "
            f"--draft {found.id} --encoding latin-1.",
            ExitCode.INPUT,
            "InvalidText",
        ) from None
    fields = dict(content.fields) | {name: value for name, value in given.items() if value}
    content = replace(content, text=text.encode(), fields=fields)
    purpose = "edit" if found.purpose == "original" else found.purpose

    refused: sdk.EditConflict | None = None
    entry: sdk.Entry | None = None
    if not _editor_works():
        try:
            entry = await _save(client, found, text.removesuffix("\n"), fields, content.base)
        except sdk.EditConflict as error:
            refused = error
        _remove(client, found)
        if refused is not None:
            raise refused  # the text is in the conflict, and its draft need not stay
        return entry
    with Draft(run, client.drafts, Task(purpose, content, found.entry_id, found.conflict_id)) as draft:
        typed = draft.write()
        if typed is None:
            return None
        try:
            entry = await _save(client, found, typed, fields, content.base)
        except sdk.EditConflict as error:
            refused = error
        draft.saved()
    _remove(client, found)
    if refused is not None:
        raise refused
    return entry


async def _save(
    client: sdk.Client, draft: sdk.UnsavedDraft, text: str, fields: dict[str, Any], base: str | None
) -> sdk.Entry:
    if draft.conflict_id is not None:
        resolved = await client.journal.resolve(draft.conflict_id, "merged", merged_body=text, base=base)
        if resolved is not None:
            return resolved
    if draft.entry_id is not None:
        return await client.journal.edit(draft.entry_id, body=text, base=base, **fields)
    return await client.journal.write(body=text, **fields)


def keep_piped(
    run: Run, drafts: sdk.Drafts | None, purpose: sdk.Purpose, content: sdk.DraftContent, **belongs: str | None
) -> None:
    """Keep bytes that are nowhere else, and say where: sealed in the profile, or where it is closed in a file.

    Args:
        drafts: of the profile; None where it could not be opened.
        belongs: entry and conflict to which they belong.
    """
    try:
        if drafts is None:
            raise OSError
        draft = drafts.begin(purpose, content, entry_id=belongs.get("entry_id"), conflict_id=belongs.get("conflict_id"))
    except (sdk.LockleafError, OSError):
        file = make_draft_folder() / "entry.md"
        file.touch(mode=0o600)
        file.write_bytes(content.text)
        _say(run, f"What you gave is kept unencrypted in {file}. lockleaf write < {file} takes it up.")
        return
    if purpose == "original":
        _say(
            run,
            f"The bytes as you gave them are kept: lockleaf drafts show {draft.id} prints them, lockleaf write --draft "
            f"{draft.id} --encoding latin-1 corrects the entry, lockleaf drafts discard {draft.id} deletes them.",
        )
    else:
        _say(run, f"What you gave is kept: lockleaf write --draft {draft.id} goes on with it.")


def tell_of_trouble(run: Run, given: GivenText) -> None:
    """Say what of a text could not be decoded."""
    _say(run, f"{given.trouble} It is shown as \N{REPLACEMENT CHARACTER} in the entry.")


def _editor_works() -> bool:
    """Return whether an editor can be opened; the draft is taken as it is where none can."""
    try:
        chosen = editor_command()
    except Complaint as complaint:
        if complaint.name == "InvalidEditor":
            raise
        return False
    return sys.stdin is not None and (sys.stdin.isatty() or not needs_terminal(chosen))


def _remove(client: sdk.Client, draft: sdk.UnsavedDraft) -> None:
    if draft.path is not None:
        remove_plain(Path(draft.path))
    client.drafts.end(draft)


def _json(draft: sdk.UnsavedDraft) -> dict[str, Any]:
    return {
        "id": draft.id,
        "purpose": draft.purpose,
        "started": draft.started,
        "entry_id": draft.entry_id,
        "conflict_id": draft.conflict_id,
        "path": draft.path if draft.has_plain_file else None,
    }


def _purpose(draft: sdk.UnsavedDraft) -> str:
    return _PURPOSES[draft.purpose].format((draft.entry_id or "")[:8])


def _say(run: Run, text: str) -> None:
    run.err.print(printable(text), markup=False, soft_wrap=True)
