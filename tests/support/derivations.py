"""What it costs to turn a password into keys where a device refuses what is only good for tests."""

from __future__ import annotations

from lockleaf.crypto.kdf import KdfProfile

__all__ = ["LEAST"]

LEAST = KdfProfile("argon2id", iterations=2, memory_kib=19_456, parallelism=1)
"""The least that every device takes: a sixth of what is usual."""
