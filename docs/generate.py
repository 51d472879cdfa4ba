"""Writes every page of the reference that comes from the code, and the manual page: ``python -m docs.generate``."""

from __future__ import annotations

from docs import generate_api, generate_commands, generate_errors, generate_man, generate_metrics, generate_settings

__all__ = ["GENERATORS"]

GENERATORS = (
    generate_commands,
    generate_settings,
    generate_errors,
    generate_api,
    generate_metrics,
    generate_man,
)

if __name__ == "__main__":
    for generator in GENERATORS:
        generator.PAGE.parent.mkdir(exist_ok=True)
        generator.PAGE.write_text(generator.page(), encoding="utf-8")
