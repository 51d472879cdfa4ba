"""Attachments: sealed on this device as streams, sent straight to the object store, and checked on the way back."""

from __future__ import annotations

__all__: list[str] = []
