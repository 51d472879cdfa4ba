"""``admin``: what an operator does to a server from its machine."""

from __future__ import annotations

import secrets
from typing import Any

import typer

from lockleaf.cli.migrating import downgrade, migrate
from lockleaf.cli.options import command
from lockleaf.cli.reset import reset
from lockleaf.cli.restored import restored
from lockleaf.cli.rotating_secret import rotate_secret
from lockleaf.cli.run import Run

__all__ = ["install"]

PANEL = "Server"


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    admin = typer.Typer(help="Look after a server.", no_args_is_help=True)
    app.add_typer(admin, name="admin", rich_help_panel=PANEL)
    command(admin, "migrate")(migrate)
    command(admin, "downgrade")(downgrade)
    command(admin, "openapi")(openapi)
    command(admin, "reset")(reset)
    command(admin, "restored")(restored)
    command(admin, "rotate-secret")(rotate_secret)


def openapi(run: Run) -> None:
    """Print the OpenAPI document of the HTTP API. No server need run."""
    run.result(_document())


def _document() -> dict[str, Any]:
    from pydantic import SecretStr  # noqa: PLC0415

    from lockleaf.server.main.app import create_app  # noqa: PLC0415
    from lockleaf.server.platform.settings import SecretSettings, Settings  # noqa: PLC0415

    # The application is only described. It connects nowhere and signs nothing, so it gets secrets of its own that
    # nobody keeps, instead of making some in a data folder.
    made_up = SecretSettings(
        roots=(SecretStr(secrets.token_urlsafe(48)),), prelogin=SecretStr(secrets.token_urlsafe(48))
    )
    described = create_app(Settings(secrets=made_up), database_url="postgresql://localhost/described")
    return described.openapi()
