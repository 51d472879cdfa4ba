"""Statements about epochs, signed as devices do."""

from __future__ import annotations

from typing import Any

from lockleaf.crypto.epochs import statement_message
from lockleaf.crypto.identity import sign

__all__ = ["TIME", "signed_statement"]

TIME = "2026-11-21T05:00:00Z"


def signed_statement(seed: bytes, user_id: str, **fields: Any) -> dict[str, Any]:
    """A statement signed with ``seed``; what is not given is an acceptance of "two" after "one" at 1."""
    said: dict[str, Any] = {
        "kind": "accepted",
        "n": 1,
        "old_epoch": "one",
        "seq": 1,
        "head": bytes(32),
        "new_epoch": "two",
        "device_id": "laptop",
        "time": TIME,
        **fields,
    }
    message = statement_message(
        said["kind"],
        user_id,
        said["n"],
        said["old_epoch"],
        said["seq"],
        said["head"],
        said["new_epoch"],
        said["device_id"],
        said["time"],
    )
    return {"signature": sign(seed, message), **said}
