"""The command line: Typer commands, thin over the SDK's public interface.

`lockleaf.cli.main.main` is the entry point. Modules here import the SDK and the server inside functions, so that
``lockleaf --help`` and the daily commands start fast.
"""

__all__: list[str] = []
