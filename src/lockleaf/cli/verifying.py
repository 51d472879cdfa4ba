"""``admin verify``: whether a backup can be restored, found out by restoring it to a scratch place."""

from __future__ import annotations

import asyncio

from lockleaf.cli import server_parts as server
from lockleaf.cli.backing_up import size_of
from lockleaf.cli.counting import number_of
from lockleaf.cli.errors import Complaint
from lockleaf.cli.putting_back import At, BackupPath, Identity, identities_of
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, looking_after
from lockleaf.exit_codes import ExitCode

__all__ = ["verify"]


def verify(run: Run, path: BackupPath, data_dir: DataDir = None, at: At = None, identity: Identity = None) -> None:
    """Restore a backup to a scratch place, and check every part, attached file and history in it.

    Nothing of the server is touched. The scratch database needs space in the data folder, and is gone afterwards.
    """
    with looking_after(data_dir) as settings:
        scratch = settings.data_dir
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        with server.open_backup(path.expanduser(), identities_of(identity), scratch=scratch, at=at) as source:
            found = asyncio.run(server.verify(source, scratch))
    if run.json:
        run.result(
            {
                "taken_at": found.manifest.taken_at,
                "whole": not found.wrong,
                "accounts": found.accounts,
                "records": found.records,
                "changes": found.changes,
                "files": found.files,
                "file_bytes": found.file_bytes,
                "with_files": found.manifest.with_files,
                "wrong": found.wrong,
            }
        )
    else:
        run.line(
            f"Backup of {found.manifest.taken_at}: {number_of(found.accounts, 'account')}, "
            f"{number_of(found.records, 'record')}, {number_of(found.changes, 'change')}; every history recomputed."
        )
        if found.manifest.with_files:
            run.line(f"{number_of(found.files, 'attached file')} read, {size_of(found.file_bytes)}.")
        else:
            run.line(f"Attached files are not in it: {number_of(found.manifest.files, 'is', 'are')} listed.")
        for what, count in found.wrong.items():
            run.line(f"wrong: {what}: {count:,}")
    if found.wrong:
        raise Complaint(
            "The backup is not what it should be. Make another one and verify that; if it says the same, the server "
            "itself is damaged: lockleaf admin doctor says more.",
            ExitCode.INTEGRITY,
            "BackupDamaged",
        )
    if not run.json:
        run.line("The backup can be restored.")
