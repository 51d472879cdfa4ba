"""``admin``: what an operator does to a server from its machine."""

from __future__ import annotations

import secrets
from typing import Any

import typer

from lockleaf.cli import server_parts as server
from lockleaf.cli import users
from lockleaf.cli.backing_up import backup
from lockleaf.cli.compacting import compact
from lockleaf.cli.distributing import distribute
from lockleaf.cli.doctor import doctor
from lockleaf.cli.inviting import invitations, invite
from lockleaf.cli.migrating import downgrade, migrate
from lockleaf.cli.options import command
from lockleaf.cli.putting_back import restore
from lockleaf.cli.recounting import recount
from lockleaf.cli.reset import reset
from lockleaf.cli.restored import restored
from lockleaf.cli.rotating_secret import rotate_secret
from lockleaf.cli.run import Run
from lockleaf.cli.verifying import verify

__all__ = ["install"]

PANEL = "Server"


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    admin = typer.Typer(help="Look after a server.", no_args_is_help=True)
    app.add_typer(admin, name="admin", rich_help_panel=PANEL)
    command(admin, "backup")(backup)
    command(admin, "verify")(verify)
    command(admin, "restore")(restore)
    command(admin, "doctor")(doctor)
    command(admin, "compact")(compact)
    users.install(admin)
    command(admin, "migrate")(migrate)
    command(admin, "invite")(invite)
    command(admin, "invitations")(invitations)
    command(admin, "downgrade")(downgrade)
    command(admin, "distribute")(distribute)
    command(admin, "openapi")(openapi)
    command(admin, "recount")(recount)
    command(admin, "reset")(reset)
    command(admin, "restored")(restored)
    command(admin, "rotate-secret")(rotate_secret)


def openapi(run: Run) -> None:
    """Print the OpenAPI document of the HTTP API. No server need run."""
    run.result(_document())


def _document() -> dict[str, Any]:
    # The application is only described. It connects nowhere and signs nothing, so it gets secrets of its own that
    # nobody keeps, instead of making some in a data folder.
    made_up = server.SecretSettings(
        roots=(server.SecretStr(secrets.token_urlsafe(48)),), prelogin=server.SecretStr(secrets.token_urlsafe(48))
    )
    described = server.create_app(server.Settings(secrets=made_up), database_url="postgresql://localhost/described")
    return described.openapi()
