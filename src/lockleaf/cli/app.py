"""The whole command line, put together."""

from __future__ import annotations

import typer

from lockleaf.cli.commands import Commands
from lockleaf.cli.options import install_common
from lockleaf.exit_codes import epilog

__all__ = ["build"]


def build() -> typer.Typer:
    """Return the application with every command."""
    app = typer.Typer(
        name="lockleaf",
        cls=Commands,
        help="A private journal on all your devices. The server in between cannot read it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    install_common(app, epilog())
    return app
