"""``admin users``: who has an account on a server, and what its operator does about it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer

from lockleaf.cli import screen
from lockleaf.cli import server_parts as server
from lockleaf.cli.backing_up import size_of, unavailable
from lockleaf.cli.counting import number_of
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command
from lockleaf.cli.prompts import confirm
from lockleaf.cli.restored import database_of
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, looking_after
from lockleaf.cli.terminal import printable
from lockleaf.exit_codes import ExitCode

__all__ = ["install"]

Found = TypeVar("Found")
Who = Annotated[str, typer.Argument(help="The email, name or id of an account.", metavar="WHO")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)?", re.I)
_UNITS = {"b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def install(admin: typer.Typer) -> None:
    """Add the group of commands to ``admin``."""
    users = typer.Typer(help="List accounts; give them quotas, disable, sign out or delete them.", no_args_is_help=True)
    admin.add_typer(users, name="users")
    command(users, "list")(list_)
    command(users, "quota")(quota)
    command(users, "disable")(disable)
    command(users, "enable")(enable)
    command(users, "sign-out")(sign_out)
    command(users, "delete")(delete)


def list_(run: Run, data_dir: DataDir = None) -> None:
    """List the accounts: who, custody and tier, how much is held, and when a device of theirs was last there."""

    async def collect(settings: server.Settings, url: str) -> list[server.users.User]:
        return [user async for user in server.users.list_users(url)]

    found = _do(data_dir, collect)
    if run.json:
        run.result({"items": [_facts(user) for user in found]})
        return
    table = screen.Table(box=None)
    table.add_column("account", overflow="fold", min_width=20)
    for heading in ("custody", "tier", "records", "held", "quota", "sessions", "last seen"):
        table.add_column(heading, overflow="fold")
    for user in found:
        name = f"{user.login_name} (disabled)" if user.disabled_at else user.login_name
        cells = (
            name,
            user.custody,
            user.privacy_tier,
            f"{user.records:,}",
            size_of(user.bytes_held),
            _quota(user.quota_bytes),
            str(user.sessions),
            "never" if user.last_used_at is None else f"{user.last_used_at:%Y-%m-%d}",
        )
        table.add_row(*(screen.Text(printable(cell)) for cell in cells))
    run.show(table)
    run.note(number_of(len(found), "account") + ".")


def quota(
    run: Run,
    who: Who,
    size: Annotated[
        str, typer.Argument(help="A size as 5GiB or 500MiB; none for no limit; default for that of the server.")
    ],
    data_dir: DataDir = None,
) -> None:
    """Give an account a quota of its own, for everything that is held of it. What it holds already stays."""
    given = _bytes(size)

    async def change(settings: server.Settings, url: str) -> server.users.User:
        user = await server.users.find(url, who)
        await server.users.set_quota(url, user.user_id, given)
        return await server.users.find(url, str(user.user_id))

    _tell(run, _do(data_dir, change), lambda user: f"{user.login_name} may hold: {_quota(user.quota_bytes)}.")


def disable(run: Run, who: Who, data_dir: DataDir = None) -> None:
    """Let nobody into an account, at once. Nothing of it is deleted, and its devices keep what they have."""
    user = _do(data_dir, lambda settings, url: _switched(url, who, disabled=True))
    _tell(run, user, lambda user: f"{user.login_name} is disabled: its devices are told, and send nothing until then.")


def enable(run: Run, who: Who, data_dir: DataDir = None) -> None:
    """Let an account in again that was disabled; its sessions go on."""
    user = _do(data_dir, lambda settings, url: _switched(url, who, disabled=False))
    _tell(run, user, lambda user: f"{user.login_name} is enabled: its devices go on where they were.")


def sign_out(run: Run, who: Who, data_dir: DataDir = None) -> None:
    """End every session of an account, at once. Its devices keep what they have, and log in again."""

    async def change(settings: server.Settings, url: str) -> server.users.User:
        user = await server.users.find(url, who)
        await server.users.sign_out(settings, url, user.user_id)
        return user

    user = _do(data_dir, change)
    _tell(run, user, lambda user: f"{user.login_name} is signed out everywhere: {number_of(user.sessions, 'session')}.")


def delete(run: Run, who: Who, data_dir: DataDir = None, yes: Yes = False) -> None:
    """Delete an account with everything that the server holds of it, as its own user would. Backups keep it."""

    async def change(settings: server.Settings, url: str) -> server.users.User:
        user = await server.users.find(url, who)
        told = (
            f"{user.login_name}: {number_of(user.records, 'record')}, {size_of(user.bytes_held)}. Everything that the "
            "server holds of this account is deleted for good; devices keep what they have."
        )
        if not yes:
            if not run.interactive:
                raise Complaint(f"{told} Nothing was deleted. Give --yes to delete it.", ExitCode.USAGE)
            confirm(f"{told} Delete it?")
        await server.users.delete(settings, url, user.user_id)
        return user

    _tell(run, _do(data_dir, change), lambda user: f"{user.login_name} is deleted.")


async def _switched(url: str, who: str, *, disabled: bool) -> server.users.User:
    user = await server.users.find(url, who)
    await server.users.set_disabled(url, user.user_id, disabled=disabled)
    return await server.users.find(url, str(user.user_id))


def _do(data_dir: Any, act: Callable[[server.Settings, str], Coroutine[Any, Any, Found]]) -> Found:
    with looking_after(data_dir) as settings, database_of(settings) as url:
        try:
            return asyncio.run(act(settings, url))
        except (OSError, server.asyncpg.PostgresError):
            raise unavailable() from None
        except server.users.AccountUnknown as error:
            raise Complaint(str(error), ExitCode.NOT_FOUND, "AccountUnknown") from None


def _tell(run: Run, user: server.users.User, sentence: Callable[[server.users.User], str]) -> None:
    if run.json:
        run.result(_facts(user))
    else:
        run.line(sentence(user))


def _facts(user: server.users.User) -> dict[str, Any]:
    return {
        "id": str(user.user_id),
        "login_name": user.login_name,
        "custody": user.custody,
        "privacy_tier": user.privacy_tier,
        "created_at": _time(user.created_at),
        "disabled_at": _time(user.disabled_at),
        "quota_bytes": user.quota_bytes,
        "sessions": user.sessions,
        "last_used_at": _time(user.last_used_at),
        "records": user.records,
        "record_bytes": user.record_bytes,
        "media_bytes": user.media_bytes,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _quota(given: int | None) -> str:
    if given is None:
        return "as the server's"
    return "no limit" if given < 0 else size_of(given)


def _bytes(size: str) -> int | None:
    if size == "default":
        return None
    if size == "none":
        return -1
    found = _SIZE.fullmatch(size.strip())
    count = -1.0 if found is None else float(found[1]) * _UNITS[(found[2] or "B").lower()]
    if not 0 <= count < 2**63:
        raise Complaint("Invalid size: use a number with a unit, such as 5GiB or 500MiB; or none, or default.")
    return int(count)
