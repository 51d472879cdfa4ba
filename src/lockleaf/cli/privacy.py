"""``privacy``: how much leaves this device, and taking it back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.prompts import confirm
from lockleaf.cli.prompts import password as ask_password
from lockleaf.cli.run import Run
from lockleaf.cli.server_views import seen

__all__ = ["deleted_text", "gathered", "install"]

PANEL = "Account"

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the server deletes anything.")]

_MEANT = "--yes says that you mean it."
_HOLDS: dict[str, str] = {
    "local_only": "the account, and nothing of the journal",
    "analytics_sync": "the account, and encrypted metrics that it adds up without reading them",
    "full_sync": "the account, encrypted metrics, and the encrypted journal for all your devices",
}
_NAMES = {
    "local_storage": "journal on this device",
    "local_themes": "themes",
    "local_search": "search on this device",
    "cloud_sync": "sync between devices",
    "cross_device_search": "search across devices",
    "encrypted_backup": "encrypted backup",
    "analytics_sync": "encrypted metrics",
}


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    privacy = group(app, "privacy", panel=PANEL)(show)
    command(privacy, "set")(set_tier)
    command(privacy, "revoke")(revoke)
    command(privacy, "labels")(labels)
    command(privacy, "seen")(seen)


async def show(run: Run) -> None:
    """Show how much of the journal the server holds, and what works with that; change it."""
    async with run.client() as client:
        privacy = await client.privacy.tier()
    if run.json:
        run.result(privacy.model_dump(mode="json"))
        return
    _show(run, privacy)


async def set_tier(
    run: Run,
    tier: Annotated[
        Literal["full_sync", "analytics_sync", "local_only"],
        typer.Argument(
            help="full_sync: the encrypted journal too; analytics_sync: encrypted metrics; local_only: nothing.",
            metavar="full_sync|analytics_sync|local_only",
            show_default=False,
        ),
    ],
    yes: Yes = False,
) -> None:
    """Choose how much the server holds. What a lower tier does not hold is deleted there at once.

    What is on your devices stays there. Raising the tier is your consent; its time is kept as proof. Lowering it
    asks for your password, or takes it from LOCKLEAF_PASSWORD.
    """
    await _change(run, tier, yes=yes)


async def revoke(run: Run, yes: Yes = False) -> None:
    """Take everything back: the server deletes what it holds but the account. The same as set local_only.

    It asks for your password, or takes it from LOCKLEAF_PASSWORD.
    """
    await _change(run, "local_only", yes=yes)


async def labels(
    run: Run,
    choice: Annotated[
        Literal["on", "off"] | None,
        typer.Argument(help="off: send none, for all your devices; on: send them again.", metavar="on|off",
                       show_default=False),
    ] = None,
) -> None:  # fmt: skip
    """Show or choose whether labels of mood, tags and source go to the server with each entry.

    A label is a keyed digest of a word: the server cannot read it, but sees which entries share one, and how many.
    Without labels, filters work on the device.
    """
    async with run.client() as client:
        before = client.privacy.sends_labels
        report = None
        if choice is not None:
            await client.privacy.send_labels(choice == "on")
            try:
                with progress_bars(run) as progress:
                    report = await client.sync(progress)
            except sdk.TierRequired:
                pass  # the server holds no entries, and the choice goes with the first
        sends = client.privacy.sends_labels
        changed = report.pushed if report is not None and before != sends else 0
    if run.json:
        run.result({"labels": "on" if sends else "off", "sealed_again": changed})
        return
    run.line(
        "Labels are on: the server gets one for mood, source and each tag of an entry."
        if sends
        else "Labels are off: the server gets none, and filters work on the device."
    )
    if choice is None:
        return
    if changed:
        run.note(f"{changed:,} {'entry was' if changed == 1 else 'entries were'} sealed again and sent.")
    if sends:
        run.note("Your other devices send labels after their next sync.")
    else:
        run.note(
            "Your other devices obey from their next sync on, and seal again what they sent with labels before it. "
            "Backups that the server's operator made have the labels still. A tag's own record still shows that there "
            "is a tag, not where it is used."
        )


async def _change(run: Run, tier: sdk.PrivacyTier, *, yes: bool) -> None:
    async with run.client() as client:
        present = (await client.privacy.tier()).current_tier
        password = None
        if sdk.TIERS.index(tier) < sdk.TIERS.index(present):
            await _prepare(run, client, present, tier, yes=yes)
            password = ask_password(run)
        changed = await client.privacy.set_tier(tier, password=password)
        if tier == "analytics_sync" != present:
            report = await client.metrics.send()
    if run.json:
        run.result(changed.model_dump(mode="json"))
        return
    run.line(f"The tier is {changed.current_tier}: the server holds {_HOLDS[changed.current_tier]}.")
    if sdk.TIERS.index(tier) < sdk.TIERS.index(present):
        run.line(deleted_text(changed.deleted))
        run.note("What is on your devices stays there. Their next sync says that it is off.")
    if tier == "analytics_sync" != present and report.on:
        run.note("lockleaf stats shows what the numbers come to; lockleaf sync sends new ones.")
    if tier == "full_sync" != present:
        run.note("Next: lockleaf sync sends what is on this device, and so on each of your others.")


async def _prepare(run: Run, client: sdk.Client, present: sdk.PrivacyTier, tier: sdk.PrivacyTier, *, yes: bool) -> None:
    """Fetch what only the server has, say what it will delete, and ask."""
    parts, lost = await gathered(run, client) if present == "full_sync" else ([], "")
    if tier == "local_only":
        parts.append("all metrics")
    if yes:
        if lost:
            run.note(lost)
        return
    if not run.interactive:
        raise Complaint(" ".join(("The server would delete what it holds.", *filter(None, [lost]), _MEANT)))
    confirm(
        f"The server deletes at once, for all your devices: {', '.join(parts)}. They stay on this device."
        f" {lost + ' ' if lost else ''}Go on?"
    )


async def gathered(run: Run, client: sdk.Client) -> tuple[list[str], str]:
    """Fetch what only the server has of a journal.

    Returns:
        What is there, in words, entries first; and which attached files could not be fetched, as a sentence.
    """
    with progress_bars(run) as move:
        found = await sdk.gather(client, move)
    if found.trouble is not None:
        run.note(f"This device may lack what your others wrote, since it cannot sync: {found.trouble}")
    parts = []
    for count, one, more in (
        (found.entries, "entry", "entries"),
        (found.kept, "attached file or thumbnail", "attached files and thumbnails"),
        (found.conflicts, "open conflict", "open conflicts"),
        (found.inbox, "inbox item", "inbox items"),
    ):
        if count or one == "entry":
            parts.append(f"{count:,} {one if count == 1 else more}")
    parts[0] += " with their tags and earlier versions"
    return parts, _lost(found.lost)


def _lost(count: int) -> str:
    """Say that so many attached files will be nowhere any more: those that could not be fetched."""
    if not count:
        return ""
    files = "One attached file is" if count == 1 else f"{count:,} attached files are"
    return f"{files} at the server alone, could not be fetched now, and will be lost: lockleaf media shows them."


def deleted_text(deleted: sdk.DeletedCounts) -> str:
    """Return what was deleted as one line."""
    counts = (
        (deleted.backups, "records"),
        (deleted.conflicts, "conflicts"),
        (deleted.media, "attachments"),
        (deleted.metrics, "metrics"),
    )
    said = ", ".join(f"{count:,} {what.removesuffix('s') if count == 1 else what}" for count, what in counts)
    return f"Deleted on the server: {said}."


def _show(run: Run, privacy: sdk.Privacy) -> None:
    table = screen.Table.grid(padding=(0, 2))
    facts: list[tuple[str, Any]] = [
        ("tier", privacy.current_tier),
        ("server holds", _HOLDS.get(privacy.current_tier, "")),
    ]
    if privacy.sync_enabled_at is not None:
        facts.append(("chosen", privacy.sync_enabled_at.astimezone().isoformat(sep=" ", timespec="minutes")[:16]))
    facts.append(("key for metrics", "registered" if privacy.he_public_key_registered else "none"))
    for name, works in privacy.features_available.model_dump().items():
        facts.append((_NAMES.get(name, name), "on" if works else "off"))
    for label, value in facts:
        table.add_row(screen.Text(label, style="dim"), screen.Text(str(value)))
    run.show(table)
