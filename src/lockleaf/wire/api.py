"""What every answer of a Lockleaf server bears, so that a client can tell it from anybody else's."""

from __future__ import annotations

__all__ = ["API_HEADER", "API_VERSION"]

API_HEADER = "Lockleaf-Api"
API_VERSION = "1"
