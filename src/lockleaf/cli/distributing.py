"""``admin distribute``: a database over several nodes."""

from __future__ import annotations

from typing import Annotated

import typer

from lockleaf.cli import server_parts as server
from lockleaf.cli.counting import number_of
from lockleaf.cli.errors import Complaint
from lockleaf.cli.migrating import attempted
from lockleaf.cli.prompts import confirm
from lockleaf.cli.run import Run
from lockleaf.cli.serve import named, settings_of
from lockleaf.exit_codes import ExitCode

__all__ = ["distribute"]


def distribute(
    run: Run,
    shards: Annotated[
        int, typer.Option("--shards", min=1, max=4096, help="Into how many parts each table goes, the first time.")
    ] = 32,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Spread the database of DATABASE_URL over the nodes that its Citus knows, each account on one of them.

    Stop every server and worker first, and make a backup. Nothing is lost, and nothing is spread in part: it is one
    transaction. It can be run again, and then spreads what is not spread yet.
    """
    settings = settings_of(None)
    if settings.database.url is None:
        raise Complaint(
            "DATABASE_URL is not set. A server's own database has one node; a PostgreSQL of yours may have several.",
            ExitCode.USAGE,
        )
    url = settings.database.url.get_secret_value()
    try:
        found = attempted(lambda: server.examine_spread(url))
        if found.waiting:
            _consent(run, found, shards, yes=yes)
        done = attempted(lambda: server.distribute(url, shards=shards)) if found.waiting else found
    except (Complaint, typer.Abort):
        raise
    except Exception as error:
        raise named(error) from error
    if run.json:
        run.result(
            {
                "nodes": done.nodes,
                "shards": done.shards,
                "distributed": list(done.waiting),
                "already": list(found.spread),
                "kept": list(done.kept),
            }
        )
        return
    if not done.waiting:
        run.line(f"Nothing to do: {len(done.spread)} tables are spread in {done.shards} parts on {_nodes(done)}.")
        return
    run.line(f"Spread {number_of(len(done.waiting), 'table')} in {done.shards} parts each on {_nodes(done)}:")
    for name in done.waiting:
        run.line(f"  {name}")
    run.note(f"On the coordinator stay {', '.join(done.kept)}.")


def _consent(run: Run, found: server.Spread, shards: int, *, yes: bool) -> None:
    parts = found.shards or shards
    told = (
        f"{number_of(len(found.waiting), 'table')} will be spread by account, in {parts} parts each, on "
        f"{_nodes(found)}. "
        f"On the coordinator stay {', '.join(found.kept)}."
    )
    if yes:
        run.note(told)
    elif run.interactive:
        confirm(f"{told} Spread them?")
    else:
        raise Complaint(f"{told} Nothing was changed. Give --yes.", ExitCode.USAGE)


def _nodes(found: server.Spread) -> str:
    return number_of(found.nodes, "node")
