"""``sync`` and ``status``."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.account_options import who
from lockleaf.cli.files import media_note, shown_size
from lockleaf.cli.files import report_json as media_json
from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.run import Run
from lockleaf.cli.stats import metrics_note, report_fields
from lockleaf.cli.unsaved import tell_of_drafts
from lockleaf.exit_codes import ExitCode

__all__ = ["install", "report_json", "report_text"]

PANEL = "Devices and sync"
_PATIENCE = 5.0


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    command(app, "sync", panel=PANEL)(sync)
    command(app, "status", panel=PANEL)(status)


async def sync(
    run: Run,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Stay, and sync whenever there is news.")] = False,
    accept_restore: Annotated[
        bool,
        typer.Option(
            "--accept-restore",
            help="The operator confirmed that the server was restored, or you lowered the privacy tier in between.",
        ),
    ] = False,
) -> None:
    """Exchange entries with your other devices, and verify the server's history.

    With --json: what was pulled, pushed and merged, what became of attachments, the conflicts that are open, and the
    sequence number reached.
    """
    async with run.client() as client:
        try:
            with progress_bars(run) as progress:
                report = await client.sync(progress, accept_restore=accept_restore)
        except sdk.TierRequired:
            await _sync_metrics(run, client)
            raise
        _tell(run, report)
        if watch:
            run.note("Watching for news. Ctrl-C ends it.")
            last = report
            async for news in client.sync.watch():
                if has_news(last, news):
                    _tell(run, news)
                last = news
    if report.media.trouble is not None:
        raise typer.Exit(report.media.trouble.exit_code)
    if report.rejected or report.media.refused:
        raise typer.Exit(ExitCode.CONFLICT)


async def _sync_metrics(run: Run, client: sdk.Client) -> None:
    """Send what is counted where the entries stay here."""
    if (await client.privacy.tier()).current_tier == "analytics_sync":
        report = await client.metrics.send()
        run.note(metrics_note(report) or "Encrypted metrics are up to date. The entries stay on this device.")


def has_news(before: sdk.SyncReport, now: sdk.SyncReport) -> bool:
    """Return whether a report says anything that the one before it did not."""
    if now.pulled or now.pushed or now.merged or now.seq != before.seq:
        return True
    return _waits(now) != _waits(before) or media_note(now.media) != media_note(before.media)


def _waits(report: sdk.SyncReport) -> tuple[int, int]:
    return report.conflicts, report.inbox


def report_json(report: sdk.SyncReport) -> dict[str, Any]:
    """Return a report as ``--json`` writes it."""
    return {
        "pulled": report.pulled,
        "pushed": report.pushed,
        "merged": report.merged,
        "conflicts": report.conflicts,
        "pending": report.pending,
        "rejected": [
            {"entry_id" if item.collection == "entries" else "tag_id": item.record_id, "code": item.code}
            | {name: value for name, value in (("size", item.size), ("limit", item.limit)) if value is not None}
            for item in report.rejected
        ],
        "stale_conflicts": [
            {"entry_id": item.entry_id, "conflict_id": item.conflict_id, "why": item.why} for item in report.stale
        ],
        "inbox": report.inbox,
        "emptied": report.emptied,
        "metrics": report_fields(report.metrics),
        "media": media_json(report.media),
        "seq": report.seq,
        "epoch": report.epoch,
        "head": report.head.hex(),
        "duration": round(report.duration, 3),
    }


def report_text(report: sdk.SyncReport) -> str:
    """Return a report as one line for a person."""
    done = [
        f"{count:,} {word}"
        for count, word in ((report.pulled, "received"), (report.pushed, "sent"), (report.merged, "merged"))
        if count
    ]
    return f"{', '.join(done) or 'Everything is up to date'}; history verified up to {report.seq:,}."


def _tell(run: Run, report: sdk.SyncReport) -> None:
    if run.json:
        run.result(report_json(report))
    else:
        run.line(report_text(report))
    run.flush()
    for item in report.rejected:
        what = "entry" if item.collection == "entries" else "tag"
        if item.size is None:
            run.note(
                f"The server refused {what} {item.record_id[:8]} ({item.code}). It is kept here, and is not synced."
            )
            continue
        if item.code == "payload_too_large":
            most = "" if item.limit is None else f", at most {shown_size(item.limit)}"
            run.note(
                f"The server takes no {what} as large as {item.record_id[:8]}: "
                f"{shown_size(item.size)} when sealed{most}. "
                "It is kept here and sent again with each sync. Make it shorter, or split it (lockleaf edit "
                f"{item.record_id[:8]}), or ask whoever runs the server to raise LOCKLEAF_LIMITS__RECORD_BYTES."
            )
            continue
        who = "The server" if item.code == "body_too_large" else "Something between this device and the server"
        run.note(
            f"{who} takes no request as large as {what} {item.record_id[:8]}, {shown_size(item.size)} when sealed. "
            "It is kept here and sent again with each sync. Whoever runs the server raises the limit (body_too_large: "
            "LOCKLEAF_LIMITS__SYNC_BODY_BYTES; a proxy's: in nginx, client_max_body_size)."
        )
    for stale in report.stale:
        what = "is an earlier revision of it" if stale.why == "accepted" else "was decided before"
        run.note(
            f"The server lists a version of entry {stale.entry_id[:8]} as a conflict, but it {what}. It was dropped, "
            "and nothing changed. If it happens again, ask the operator of the server."
        )
    if report.emptied:
        run.note(
            "The server had given up what it held, as it does when the privacy tier is lowered. What is on this device "
            "was kept, and is sent again."
        )
    for note in (metrics_note(report.metrics), media_note(report.media)):
        if note is not None:
            run.note(note)
    if report.inbox:
        what = "One item waits" if report.inbox == 1 else f"{report.inbox} items wait"
        run.note(f"{what} in the inbox: lockleaf inbox.")
    if report.conflicts:
        what = "One conflict waits" if report.conflicts == 1 else f"{report.conflicts} conflicts wait"
        run.note(f"{what} for your decision: lockleaf conflicts.")


async def status(
    run: Run,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the server.")] = False,
) -> None:
    """Show who is logged in, where, what is synced, what waits, and how much of the quota is used."""
    async with run.client() as client:
        known = await _status(run, client, offline=offline)
        tell_of_drafts(run, client)
    if run.json:
        run.result(known)
    else:
        _show_status(run, known)
    without_account = "server" in known and known["server"] is None
    if known.get("locked") or not (known["logged_in"] or without_account):
        raise typer.Exit(ExitCode.CREDENTIALS)


async def _status(run: Run, client: sdk.Client, *, offline: bool) -> dict[str, Any]:
    profile = client.profile
    known: dict[str, Any] = {"profile": run.profile, "home": str(run.home.absolute()), "logged_in": client.is_logged_in}
    if profile is None:
        return known
    known |= {**who(profile)} if profile.is_local else {**who(profile), "keyring_version": profile.keyring_version}
    if profile.account_deleted:
        known["account_deleted"] = True
    if client.is_locked:
        return known | {"locked": True, "logged_in": not profile.logged_out, "keys_in": client.keys_in}
    if profile.logged_out:
        return known
    known |= {
        "entries": await client.journal.count(),
        "pending": await client.journal.pending_count(),
        "media_pending": await client.media.pending_count(),
        "conflicts": len(await client.journal.conflicts()),
        "inbox": await client.inbox.count(),
        "last_sync": synced.isoformat() if (synced := await client.journal.last_sync()) else None,
        "keys_in": client.keys_in,
        "server_answers": None,
    }
    return known if offline or not client.is_logged_in else known | await _ask(client)


async def _ask(client: sdk.Client) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_PATIENCE):
            account, features = await asyncio.gather(client.account.me(), client.account.features())
    except (sdk.TransportError, TimeoutError):
        return {"server_answers": False}
    return {
        "server_answers": True,
        "privacy_tier": account.privacy_tier,
        "storage": features.storage.model_dump(mode="json"),
    }


_LABELS = {
    "profile": "profile",
    "email": "account",
    "username": "account",
    "server": "server",
    "device_name": "this device",
    "encryption_tier": "encryption",
    "privacy_tier": "privacy",
    "entries": "entries",
    "pending": "not synced",
    "media_pending": "files not sent",
    "quota": "quota",
    "conflicts": "open conflicts",
    "inbox": "waiting in the inbox",
    "last_sync": "last sync",
    "keys_in": "keys are in",
}
_WORDS = {
    "e2e": "end-to-end (e2e): the server cannot read",
    "uce": "user-controlled (uce): the server can read while a session is in use",
    "keychain": "the system's keychain",
    "file": "a file beside the journal: whoever copies the folder can read it",
    "password": "sealed under your password",
}


def _local(time: str) -> str:
    return datetime.fromisoformat(time).astimezone().isoformat(sep=" ", timespec="minutes")[:16]


def _quota(storage: dict[str, int | None]) -> str:
    """Return how much of an account's quota is used, by all that it holds and by files."""
    used, limit = storage["used_bytes"] or 0, storage["limit_bytes"]
    files, most = storage["media_used_bytes"] or 0, storage["media_limit_bytes"]
    text = shown_size(used) + (f" of {shown_size(limit)}" if limit is not None else "") + " taken"
    if files or most is not None:
        text += f", {shown_size(files)}" + (f" of {shown_size(most)}" if most is not None else "") + " of it by files"
    return text


def _show_status(run: Run, known: dict[str, Any]) -> None:
    table = screen.Table.grid(padding=(0, 2))
    shown = known | {"last_sync": _local(known["last_sync"])} if known.get("last_sync") else known
    if storage := known.get("storage"):
        shown = shown | {"quota": _quota(storage)}
    for name, label in _LABELS.items():
        value = shown.get(name)
        if value is not None:
            text = f"{value:,}" if isinstance(value, int) else _WORDS.get(value, str(value))
            table.add_row(screen.Text(label, style="dim"), screen.Text(text or "—"))
    run.show(table)
    if known.get("account_deleted"):
        run.note("The account is deleted. The journal is on this device alone: everything but sync works.")
    elif known.get("locked"):
        run.note("The journal on this device is locked: lockleaf unlock.")
    elif known.get("server", "") is None:
        run.note("There is no account: the journal is on this device alone. lockleaf register carries it to others.")
    elif not known["logged_in"]:
        if "entries" in known:
            run.note("This device is signed out: lockleaf login. Everything but sync works until then.")
        else:
            run.note("Not logged in: lockleaf login, or lockleaf register to make an account.")
    elif known.get("server_answers") is False:
        run.note("The server does not answer at the moment; everything but sync works.")
