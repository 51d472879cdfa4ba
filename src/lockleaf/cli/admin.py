"""``admin``: what an operator does to a server from its machine."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

import typer

from lockleaf.cli.errors import Complaint
from lockleaf.cli.exit_codes import ExitCode
from lockleaf.cli.options import command
from lockleaf.cli.reset import reset
from lockleaf.cli.restored import restored
from lockleaf.cli.run import Run
from lockleaf.cli.serve import settings_of

if TYPE_CHECKING:
    from lockleaf.server.settings import Settings

__all__ = ["install"]

PANEL = "Server"


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    admin = typer.Typer(help="Look after a server.", no_args_is_help=True)
    app.add_typer(admin, name="admin", rich_help_panel=PANEL)
    command(admin, "migrate")(migrate)
    command(admin, "openapi")(openapi)
    command(admin, "reset")(reset)
    command(admin, "restored")(restored)


def migrate(run: Run) -> None:
    """Bring the database of DATABASE_URL to the schema of this version.

    A server with a database of its own does it by itself when it starts.
    """
    settings = settings_of(None)
    if settings.database.url is None:
        raise Complaint(
            "DATABASE_URL is not set. A server with a database of its own brings it up to date when it starts."
        )
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from lockleaf.server.db.migrate import head_revision  # noqa: PLC0415

    try:
        asyncio.run(_bring_up_to_date(settings))
    except (SQLAlchemyError, OSError):
        # The text of either can hold the address, and with it the database's password.
        raise Complaint(
            "The database of DATABASE_URL cannot be reached or changed. Check the address, that it runs, and that its "
            "user may make tables.",
            ExitCode.UNREACHABLE,
            "DatabaseUnavailable",
        ) from None
    if run.json:
        run.result({"schema": head_revision()})
    else:
        run.line(f"The database has schema {head_revision()}.")


async def _bring_up_to_date(settings: Settings) -> None:
    from lockleaf.server.db.migrate import migrate as bring_up_to_date  # noqa: PLC0415
    from lockleaf.server.operation.installation import mark_for_development  # noqa: PLC0415

    assert settings.database.url is not None
    url = settings.database.url.get_secret_value()
    await bring_up_to_date(url)
    if settings.environment == "development":
        await mark_for_development(url)


def openapi(run: Run) -> None:
    """Print the OpenAPI document of the HTTP API. No server need run."""
    run.result(_document())


def _document() -> dict[str, Any]:
    from pydantic import SecretStr  # noqa: PLC0415

    from lockleaf.server.app import create_app  # noqa: PLC0415
    from lockleaf.server.settings import SecretSettings, Settings  # noqa: PLC0415

    # The application is only described. It connects nowhere and signs nothing, so it gets secrets of its own that
    # nobody keeps, instead of making some in a data folder.
    made_up = SecretSettings(
        roots=(SecretStr(secrets.token_urlsafe(48)),), prelogin=SecretStr(secrets.token_urlsafe(48))
    )
    described = create_app(Settings(secrets=made_up), database_url="postgresql://localhost/described")
    return described.openapi()
