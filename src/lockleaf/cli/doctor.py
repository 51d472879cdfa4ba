"""``admin doctor``: what is wrong with a server, and what to do about it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

from lockleaf.cli import screen
from lockleaf.cli import server_parts as server
from lockleaf.cli.errors import Complaint
from lockleaf.cli.restored import database_of
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, named, settings_of
from lockleaf.exit_codes import ExitCode

__all__ = ["doctor"]

MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "problem": ("problem", "bold red")}


def doctor(run: Run, data_dir: DataDir = None) -> None:
    """Look at settings, secrets, folders, disks, clock, database, queue, store and backups, and say what to do.

    The server may run or not. Nothing is changed but for a small object that is written to the store and deleted. Ends
    with 0 where nothing is worse than a warning.
    """
    settings = settings_of(data_dir)
    server.logging.configure("console", "CRITICAL")
    with contextlib.ExitStack() as stack:
        url, why_not = None, ""
        try:
            url = stack.enter_context(database_of(settings, migrate=False))
        except Complaint as error:
            why_not = error.message
        except Exception as error:
            complaint = named(error)
            if not isinstance(complaint, Complaint):
                raise
            why_not = complaint.message
        findings = asyncio.run(_examine(settings, url, why_not))
    problems = [name for name, finding in findings if finding.level == "problem"]
    if run.json:
        run.result({"healthy": not problems, "checks": [_told(name, finding) for name, finding in findings]})
    else:
        for name, finding in findings:
            mark, style = MARKS.get(str(finding.level), ("-", "dim"))
            run.show(screen.Text.assemble((f"{mark:<8}", style), (f"{name:<12}", "bold"), finding.says))
            if finding.do is not None:
                run.show(screen.Text(f"{'':<20}→ {finding.do}", style="cyan"))
    if problems:
        raise Complaint(
            f"{len(problems)} of {len(findings)} checks found a problem: {', '.join(problems)}. Do what stands beside "
            "each, from the top, and run this again.",
            ExitCode.LOCAL,
            "ProblemsFound",
        )


async def _examine(settings: server.Settings, url: str | None, why_not: str) -> list[tuple[str, server.Finding]]:
    connection = None
    if url is not None:
        try:
            connection = await server.connect(
                server.asyncpg_url(url), timeout=10, server_settings={"application_name": "lockleaf-admin"}
            )
        except (OSError, server.asyncpg.PostgresError) as error:
            # The text of either can hold the address, and with it the database's password.
            why_not = f"{type(error).__name__}. Check its address and user, and that it runs"
    try:
        return await server.examine_server(server.Surroundings(settings, connection, datetime.now(UTC), why_not))
    finally:
        if connection is not None:
            await connection.close()


def _told(name: str, finding: server.Finding) -> dict[str, Any]:
    return {"check": name, "level": str(finding.level), "says": finding.says, "do": finding.do}
