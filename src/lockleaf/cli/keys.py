"""``keys``: shutting out a lost device with fresh keys, under which everything at the server is sealed anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.errors import Complaint
from lockleaf.cli.files import refusal_lines
from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.run import Run

__all__ = ["AllowWeakPassword", "install", "show_codes"]

AllowWeakPassword = Annotated[
    bool,
    typer.Option(
        "--allow-weak-password", help="Take a password that is easy to guess: a stolen database then opens sooner."
    ),
]

_GO_ON = "lockleaf keys rotate --media goes on with them, and does not change the keys again."


def install(app: typer.Typer, panel: str) -> None:
    """Add the commands to ``app``."""
    keys = typer.Typer(help="The keys that seal the journal.", no_args_is_help=True)
    app.add_typer(keys, name="keys", rich_help_panel=panel)
    command(keys, "rotate")(rotate)
    command(keys, "identity")(identity)


async def rotate(
    run: Run,
    keep_password: Annotated[
        bool,
        typer.Option(
            "--keep-password",
            help="Keep the present password. Whoever knows it, and gets at your account, opens the new keys too.",
        ),
    ] = False,
    media: Annotated[
        bool,
        typer.Option(
            "--media",
            help="Seal attached files anew as well. Each is fetched and sent again. After an interruption the same"
            " command goes on, without another change of keys.",
        ),
    ] = False,
    allow_weak_password: AllowWeakPassword = False,
) -> None:
    """Shut out a lost device: take fresh keys and a new password, and seal everything again.

    Whoever has the lost device's keys reads and forges nothing that you write from then on, and the server serves them
    nothing of the rest; copies that they have already stay open to them. Your other devices are signed out: log in
    again there. Recovery codes are replaced. The server drops earlier revisions of entries, which the old keys open.

    Attached files stay as they are: whoever has the old keys, and gets at what the server's store holds, opens them.
    --media seals them anew and has the old ones deleted for good. Files of deleted entries, and deleted files, are left
    out: the server deletes them within 30 days.
    """
    async with run.client() as client:
        if media and await client.media.is_rotation_unfinished():
            if not run.json:
                run.note("The keys are changed already. This goes on with the attached files.")
                run.note("To change the keys once more: lockleaf keys rotate, without --media.")
            codes = None
        else:
            codes = await _rotate(run, client, keep_password, media, allow_weak_password)
        sealed_again = await _seal_again(run, client)
        anew = await _seal_files_anew(run, client) if media else None
    if run.json:
        result: dict[str, Any] = {
            "profile": run.profile,
            "rotated": codes is not None,
            "recovery_codes": list(codes or ()),
            "sealed_again": sealed_again,
        }
        if anew is not None:
            result["media"] = {"sealed": anew.sealed, "left": anew.left, "missing": list(anew.missing)}
        run.result(result)
        run.flush()
    if anew is not None and anew.trouble is not None:
        raise anew.trouble


async def identity(
    run: Run,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before printing it.")] = False,
) -> None:
    """Print the age identity of the account, with which plain age opens attached files: age -d -i FILE.

    It is a secret: whoever has it opens every file that was ever attached, and keeps doing so until the keys are
    changed and the files sealed anew. With lockleaf keys rotate come new ones; older ones follow as far as files need
    them.
    """
    async with run.client() as client:
        found = client.age_identities()
        if not yes:
            if not run.interactive:
                raise Complaint("This prints a secret key. --yes prints it without asking.")
            prompts.confirm("Print the secret key that opens all attached files of this account?")
    if run.json:
        run.result(
            [{"identity": each.secret, "recipient": each.recipient, "created_at": each.created_at} for each in found]
        )
        return
    for each in found:
        run.line(f"# created: {each.created_at}")
        run.line(f"# public key: {each.recipient}")
        run.line(each.secret)


async def _rotate(
    run: Run, client: sdk.Client, keep_password: bool, media: bool, allow_weak_password: bool
) -> sdk.RecoveryCodes:
    await client.account.check_keys()  # not logged in, or no way to the server: better heard before a password is typed
    present = prompts.password(run)
    new = None
    if keep_password:
        run.note("The password stays. If whoever has the lost device may know it, change it with lockleaf password.")
    else:
        about = () if client.profile is None else (client.profile.login_name,)
        new = prompts.new_password(run, "LOCKLEAF_NEW_PASSWORD", about=about, allow_weak=allow_weak_password)
    codes = await client.account.rotate_keyring(present, new, media=media, allow_weak_password=allow_weak_password)
    if not run.json:
        run.line("The keys are changed. Log in again on your other devices.")
        show_codes(run, codes)
        run.flush()
    return codes


async def _seal_again(run: Run, client: sdk.Client) -> bool:
    """Have everything at the server sealed under the new keys; what is left when it fails, the next syncs do."""
    try:
        with progress_bars(run) as progress:
            await client.sync(progress)
    except sdk.TierRequired:
        return True  # the server holds nothing that could be sealed again
    except (sdk.ApiError, sdk.TransportError) as error:
        run.note(f"Not everything at the server is sealed again yet: {error}")
        run.note("Until it is, the server still serves the rest under the old keys. lockleaf sync goes on with it.")
        return False
    if not client.sync.sealed_again:
        run.note("Not everything at the server is sealed again yet. lockleaf sync goes on with it.")
        return False
    run.note("Everything at the server but attached files is sealed again under the new keys.")
    return True


async def _seal_files_anew(run: Run, client: sdk.Client) -> sdk.MediaRotation:
    try:
        with progress_bars(run) as progress:
            done = await client.media.seal_anew(progress)
    except sdk.LockleafError:
        run.note(f"Not all attached files are sealed anew. {_GO_ON}")
        raise
    if done.sealed:
        run.note(f"Attached files and thumbnails sealed anew: {done.sealed:,}.")
    for line in refusal_lines(done.refused):
        run.note(line)
    if done.missing:
        named = ", ".join(each[:8] for each in done.missing)
        run.note(f"The server does not have these attached files, or not as they were attached: {named}. They stay.")
    if done.left:
        run.note(f"Not sealed anew yet: {done.left:,}. {_GO_ON}")
    elif not done.sealed and not done.missing:
        run.note("No attached file is left under the old keys.")
    return done


def show_codes(run: Run, codes: Iterable[str]) -> None:
    """Show recovery codes, plainly, so that they can be copied, printed and read aloud."""
    run.line("")
    run.line("Your recovery codes. If you lose your password, one of them brings your journal back;")
    run.line("without password and codes nobody can, not even whoever runs the server.")
    run.line("Each works once. Keep them on paper or in a safe place: they are not shown again.")
    run.line("")
    for code in codes:
        run.line(f"    {code}")
    run.line("")
