"""The two choices of an account: who can open its content, and what may leave a device."""

from __future__ import annotations

from typing import Literal

__all__ = ["Custody", "PrivacyTier"]

Custody = Literal["e2e", "uce"]
PrivacyTier = Literal["local_only", "analytics_sync", "full_sync"]
