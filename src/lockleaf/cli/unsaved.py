"""Telling of drafts that are not saved, in commands that do something else."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from lockleaf import client as sdk
from lockleaf.cli.run import Run

__all__ = ["tell_of_drafts", "time_of"]


def tell_of_drafts(run: Run, client: sdk.Client | None = None) -> None:
    """Tell a person of drafts that are not saved, on standard error; nothing with --quiet."""
    drafts: list[sdk.UnsavedDraft] = []
    with suppress(sdk.LockleafError, OSError):
        folder = sdk.ProfileFolder(run.home, run.profile).drafts
        if not (drafts := sdk.known_drafts(folder)):
            return
        if client is not None:
            drafts = client.drafts.list()
    for draft in drafts:
        if draft.purpose == "original":
            continue
        where = f"lies in {draft.path}" if draft.has_plain_file else "is kept sealed in this profile"
        run.note(
            f"An unsaved draft from {time_of(draft)} {where}: lockleaf drafts shows it, lockleaf write --draft "
            f"{draft.id} takes it up, lockleaf drafts discard {draft.id} deletes it."
        )


def time_of(draft: sdk.UnsavedDraft) -> str:
    """Return when a draft was begun, as a person reads it here."""
    return datetime.fromisoformat(draft.started).astimezone().isoformat(sep=" ", timespec="minutes")[:16]
