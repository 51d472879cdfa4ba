"""``logout``: ending the session, and what a forgotten journal leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.counting import number_of
from lockleaf.cli.errors import Complaint
from lockleaf.cli.run import Run
from lockleaf.exit_codes import ExitCode

__all__ = ["logout"]


async def logout(
    run: Run,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget",
            help="Delete the journal on this device too. What is not known to be at the server is set aside instead.",
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="Do not ask before forgetting; where nobody can be asked, it is needed if something is not "
            "at the server.",
        ),
    ] = False,
) -> None:
    """Log out. The journal stays on this device, sealed, until the next login."""
    async with run.client() as client:
        alone = await _alone_here(client) if forget and client.is_open else ""
        drafts = client.drafts.list() if forget else []
        staying = _drafts_stay(drafts)
        if drafts and client.profile is not None and client.profile.account_deleted:
            raise Complaint(
                f"The account is deleted, so nothing could open {number_of(len(drafts), 'draft')} of yours "
                "afterwards. lockleaf drafts show ID prints one, lockleaf drafts discard ID deletes it; then forget "
                "the journal.",
                ExitCode.CONFLICT,
                "DraftsWaiting",
            )
        if forget and not yes:
            if client.is_locked and not run.interactive:
                raise Complaint.like(
                    sdk.JournalLocked,
                    "The journal is locked, so what is not at the server cannot be counted. Unlock it first, or give "
                    "--yes: what is not known to be at the server is then set aside, not deleted.",
                )
            if run.interactive:
                prompts.confirm(f"Delete the journal on this device?{alone}{staying}")
                if client.is_open and await _alone_here(client) != alone:
                    raise Complaint(
                        "Something was written here while you decided, so nothing was deleted. Run it again.",
                        ExitCode.CONFLICT,
                        "JournalChanged",
                    )
            elif alone:
                raise Complaint(f"Not everything is known to be at the server.{alone} --yes goes on.")
        aside = await client.account.logout(forget=forget)
    if run.json:
        kept = None if aside is None else str(aside)
        run.result(
            {
                "profile": run.profile,
                "logged_out": True,
                "forgotten": forget,
                "set_aside": kept,
                "drafts": [draft.id for draft in drafts],
            }
        )
    elif aside is not None:
        run.line(f"Logged out. The journal was set aside as {aside}, sealed.{alone}{staying}")
        run.note("After the next login, lockleaf repair takes in what the server lacks. Delete the folder to lose it.")
    elif staying:
        run.line(f"Logged out; the journal is deleted on this device.{staying}")
    else:
        run.line("Logged out; nothing is left on this device." if forget else "Logged out.")


def _drafts_stay(drafts: Sequence[sdk.UnsavedDraft]) -> str:
    """Say which drafts a forgotten journal leaves behind, and how they are read again."""
    if not drafts:
        return ""
    one = len(drafts) == 1
    plain = [draft.path for draft in drafts if draft.has_plain_file]
    told = f" {len(drafts):,} {'draft stays' if one else 'drafts stay'}, sealed; after the next login of this account"
    told += f" lockleaf drafts lists {'it' if one else 'them'}."
    return f"{told} Unencrypted until then: {', '.join(map(str, plain))}." if plain else told


async def _alone_here(client: sdk.Client) -> str:
    """Say what is not known to be anywhere else."""
    entries, files = await client.journal.unverified_count(), await client.media.pending_count()
    replaced = await client.journal.replaced_count()
    kinds = (
        (entries, "entry or tag", "entries and tags"),
        (files, "attached file or thumbnail", "attached files and thumbnails"),
        (replaced, "text that you replaced", "texts that you replaced"),
    )
    parts = [f"{count:,} {one if count == 1 else several}" for count, one, several in kinds if count]
    return f" Not known to be at the server, so set aside and not deleted: {' and '.join(parts)}." if parts else ""
