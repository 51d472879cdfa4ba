"""``account``: how its user is called, where they live, and its end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import prompts, screen
from lockleaf.cli.archive import save
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.privacy import gathered
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import printable
from lockleaf.exit_codes import ExitCode

__all__ = ["install"]

PANEL = "Account"


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    account = group(app, "account", panel=PANEL)(show)
    command(account, "show")(show)
    command(account, "set")(change)
    command(account, "delete")(delete)


async def show(run: Run) -> None:
    """Show the account: name, time zone, locale, preferences. The server knows all of it."""
    async with run.client() as client:
        known = await _known(client)
    _tell(run, known)


async def change(
    run: Run,
    display_name: Annotated[
        str | None, typer.Option("--display-name", help="How you want to be called; empty: not at all.", metavar="NAME")
    ] = None,
    locale: Annotated[
        str | None, typer.Option("--locale", help="Your language and country, such as de or de-CH.", metavar="LOCALE")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", help="Where you live, such as Europe/Berlin.", metavar="ZONE")
    ] = None,
    daily_words: Annotated[
        int | None, typer.Option("--daily-words", help="How many words a day you aim at; 0: no goal.", metavar="N")
    ] = None,
    reminder: Annotated[
        str | None,
        typer.Option("--reminder", help="When an application may remind you, such as 20:30; empty: never.",
                     metavar="TIME"),
    ] = None,
) -> None:  # fmt: skip
    """Change what is given of the account, and show the whole. The server knows all of it."""
    details = {"display_name": display_name, "locale": locale, "time_zone": time_zone}
    wishes = {"daily_word_goal": daily_words, "writing_reminder_time": reminder}
    if all(value is None for value in (*details.values(), *wishes.values())):
        raise Complaint("Nothing is given to change. lockleaf account set --help shows what can be.")
    async with run.client() as client:
        if any(value is not None for value in details.values()):
            await client.account.update(display_name=display_name, locale=locale, time_zone=time_zone)
        if any(value is not None for value in wishes.values()):
            await client.account.update_preferences(daily_word_goal=daily_words, writing_reminder_time=reminder)
        known = await _known(client)
    _tell(run, known)


async def delete(
    run: Run,
    archive: Annotated[
        Path | None,
        typer.Option("--archive", help="First save what the server holds to this ZIP file.", metavar="FILE",
                     dir_okay=False),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:  # fmt: skip
    """Delete the account and everything that the server holds of it, for all your devices, at once and for good.

    The journal stays on this device, which first fetches what only the server has. The password is asked for, or
    taken from LOCKLEAF_PASSWORD.
    """
    async with run.client() as client:
        tier = (await client.privacy.tier()).current_tier
        parts, lost = await gathered(run, client) if tier == "full_sync" else ([], "")
        what = ", ".join(["the account", "its sessions and recovery codes", *parts, "all metrics"])
        if not yes:
            archive = _confirmed(run, what, lost, archive)
        elif lost:
            run.note(lost)
        if archive is not None:
            await save(run, client, archive, force=False)
        await client.account.delete(prompts.password(run))
        login_name = client.profile.login_name if client.profile is not None else ""
    if run.json:
        run.result({"profile": run.profile, "deleted": True, "archive": None if archive is None else str(archive)})
        return
    run.line(f"The account {login_name} is deleted at the server, with everything that it held.")
    run.note(
        "The journal is still on this device: lockleaf list, write and search work, sync does not. lockleaf list --all "
        "--json takes it out as text, to import it elsewhere; lockleaf logout --forget deletes it here."
    )
    run.note(
        "Your other devices are signed out, and keep what they have. Do not log out on them before you took out what "
        "only they have: no login can open their journals again."
    )


def _confirmed(run: Run, what: str, lost: str, archive: Path | None) -> Path | None:
    """Offer an archive, say what is deleted, and ask.

    Returns:
        Where to save the archive; None: nowhere.
    """
    said = f"The server deletes at once and for good, for all your devices: {what}."
    if not run.interactive:
        raise Complaint(
            " ".join(filter(None, [said, lost, "--yes says that you mean it; --archive FILE saves it first."]))
        )
    if archive is None:
        default = f"lockleaf-{datetime.now(UTC):%Y-%m-%d}.zip"
        answer = prompts.answer("Save what the server holds to a file first? Its name, or - for no", default)
        archive = None if answer in ("-", "no", "n") else Path(answer).expanduser()
    if archive is not None and archive.exists():
        raise Complaint(f"{archive} is there already. Choose another name.", ExitCode.CONFLICT, "FileExists")
    prompts.confirm(f"{said} The journal stays on this device. {lost + ' ' if lost else ''}Go on?")
    return archive


async def _known(client: sdk.Client) -> dict[str, Any]:
    details, wishes = await client.account.details(), await client.account.preferences()
    return {
        "email": details.email,
        "username": details.username,
        "display_name": details.display_name,
        "time_zone": details.timezone,
        "locale": details.locale,
        "daily_word_goal": wishes.daily_word_goal,
        "writing_reminder_time": wishes.writing_reminder_time,
        "privacy_tier": details.privacy_tier,
        "encryption_tier": details.encryption_tier,
        "created_at": details.created_at.isoformat(),
    }


_LABELS = {
    "email": "email",
    "username": "username",
    "display_name": "name",
    "time_zone": "time zone",
    "locale": "locale",
    "daily_word_goal": "words a day",
    "writing_reminder_time": "reminder",
    "privacy_tier": "privacy",
    "encryption_tier": "encryption",
    "created_at": "made",
}


def _tell(run: Run, known: dict[str, Any]) -> None:
    if run.json:
        run.result(known)
        return

    table = screen.Table.grid(padding=(0, 2))
    for name, label in _LABELS.items():
        value = known[name]
        if value is None and name in ("email", "username"):
            continue
        if name == "created_at":
            value = datetime.fromisoformat(value).astimezone().isoformat(sep=" ", timespec="minutes")[:16]
        table.add_row(screen.Text(label, style="dim"), screen.Text("—" if value is None else printable(str(value))))
    run.show(table)
