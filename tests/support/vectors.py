"""Reading of the test vectors in ``tests/vectors``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import KeyEntry, Keyring

FOLDER = Path(__file__).parent.parent / "vectors"


def vectors(name: str) -> Any:
    """The content of ``tests/vectors/<name>.json``."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def with_bytes(value: Any) -> Any:
    """``value`` with every ``{"bytes": hex}`` in it as a byte string."""
    if isinstance(value, dict):
        if value.keys() == {"bytes"}:
            return bytes.fromhex(value["bytes"])
        return {key: with_bytes(item) for key, item in value.items()}
    return [with_bytes(item) for item in value] if isinstance(value, list) else value


def keyring_of(entries: list[dict[str, Any]]) -> Keyring:
    """Return the keyring that a vector lists."""
    return Keyring(
        [
            KeyEntry(
                entry["key_id"],
                bytes.fromhex(entry["master_key"]),
                entry["created_at"],
                *(
                    HistoryPlace(at["epoch"], at["seq"], bytes.fromhex(at["head"])) if (at := entry.get(name)) else None
                    for name in ("retired_at", "begins_after")
                ),
            )
            for entry in entries
        ]
    )
