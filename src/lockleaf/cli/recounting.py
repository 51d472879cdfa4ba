"""``admin recount``: what is kept of how much accounts hold, put right."""

from __future__ import annotations

from lockleaf.cli import server_parts as server
from lockleaf.cli.inviting import asked
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, settings_of

__all__ = ["recount"]


def recount(run: Run, data_dir: DataDir = None) -> None:
    """Count how many bytes accounts hold, and put right what is kept of it. The server may run meanwhile.

    Quotas go by what is kept. It differs where somebody changed the database by hand, or put back some of its tables.
    """
    put_right = asked(settings_of(data_dir), server.recount)
    if run.json:
        for each in put_right:
            told = {"user_id": str(each.user_id), "of": each.column, "kept": each.kept, "counted": each.counted}
            run.result(told)
        return
    for each in put_right:
        run.line(f"{each.user_id}  {each.column}: {each.kept:,} was kept, {each.counted:,} is there")
    run.note("Everything was as it was kept." if not put_right else "It is put right.")
