"""The settings of a server that many people join at once from one machine."""

from __future__ import annotations

from lockleaf.cli import server_parts as server

__all__ = ["unhindered"]


def unhindered(settings: server.Settings) -> server.Settings:
    """Return settings that let in everybody of a demonstration, however fast they come."""
    rates = settings.rates.model_copy(update={"enabled": False})
    registration = settings.registration.model_copy(update={"mode": "open"})
    return settings.model_copy(update={"rates": rates, "registration": registration})
