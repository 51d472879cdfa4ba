"""Vectors of what devices sign about epochs."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors.notation import USER, fixed, lp, number

__all__ = ["epochs"]


def epochs() -> dict[str, Any]:
    signer = Ed25519PrivateKey.from_private_bytes(fixed("seed 1"))
    cases = [
        ("end", 1, "e1", 41, "head 41", "e2", "laptop", "2024-05-01T06:30:00Z"),
        ("accepted", 1, "e1", 41, "head 41", "e2", "laptop", "2024-05-01T06:30:00Z"),
        ("accepted", 2, "e2", 0, "head 0", "e3", "phone", "2024-05-02T06:30:00.123+02:00"),
        ("accepted", 2, "e2", 0, "head 0", "e3", "another phone", "2025-01-01T00:00:00Z"),
    ]
    statements = []
    for kind, n, old, seq, head, new, device, time in cases:
        label = {"end": b"lockleaf/1/epoch-end", "accepted": b"lockleaf/1/epoch-accepted"}[kind]
        said = label + lp(USER) + number(n) + lp(old) + number(seq) + fixed(head) + lp(new)
        message = said + lp(device) + lp(time)
        statements.append(
            {"kind": kind, "user_id": USER, "n": n, "old_epoch": old, "seq": seq, "head": fixed(head).hex()}
            | {"new_epoch": new, "device_id": device, "time": time, "message": message.hex()}
            | {"signature": signer.sign(message).hex()}
            # Equal for those that say the same: the message with an empty device and time.
            | {"statement_id": sha256(said + lp("") + lp("")).hexdigest()}
        )
    public = signer.public_key().public_bytes_raw().hex()
    return {"seed": fixed("seed 1").hex(), "signing_key": public, "statements": statements}
