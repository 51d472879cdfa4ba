"""What an archive tells of a store: its records as they travel, their history to its first leaf, its conflicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lockleaf.server.platform.archive import Facts, Section, plain
from lockleaf.wire.codec import unpack

__all__ = ["FACTS", "SECTIONS"]

PAYLOADS_AT_ONCE = 4
"""A payload has up to 4 MiB."""


def _as_it_travels(row: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = unpack(row["packed"])
    del record["superseded"]
    return record | plain({name: value for name, value in row.items() if name != "packed"})


FACTS = (Facts("store", "SELECT epoch, seq, head FROM heads WHERE user_id = $1"),)

SECTIONS = (
    Section(
        "records.jsonl",
        """
        SELECT packed, purged_at FROM records WHERE user_id = $1 ORDER BY collection, record_id
        """,
        _as_it_travels,
        at_once=PAYLOADS_AT_ONCE,
    ),
    Section(
        "revisions.jsonl",
        """
        SELECT packed FROM revisions WHERE user_id = $1 ORDER BY collection, record_id, revision
        """,
        _as_it_travels,
        at_once=PAYLOADS_AT_ONCE,
    ),
    Section(
        "history.jsonl",
        """
        SELECT seq, collection, record_id, revision, parent, meta, payload_hash, deleted, device_id, at
        FROM changes WHERE user_id = $1 ORDER BY seq
        """,
    ),
    Section(
        "epochs.jsonl",
        """
        SELECT epoch, from_seq, from_head, ended, created_at FROM epochs
        WHERE user_id = $1 ORDER BY created_at, epoch
        """,
    ),
    Section(
        "epoch_statements.jsonl",
        """
        SELECT kind, n, old_epoch, seq, head, new_epoch, device_id, time_text AS time, signature, posted_at
        FROM epoch_statements WHERE user_id = $1 ORDER BY n, statement_id
        """,
    ),
    Section(
        "conflicts.jsonl",
        """
        SELECT conflict_id AS id, collection, record_id, base_revision, parent, payload, payload_hash, deleted, labels,
          source, occurred_text AS occurred_at, device_id, client_updated_at, detected_at, resolved_at, chosen_version,
          remote_revision
        FROM conflicts WHERE user_id = $1 ORDER BY conflict_id
        """,
        at_once=PAYLOADS_AT_ONCE,
    ),
    Section(
        "checkpoints.jsonl",
        """
        SELECT device_id, epoch, seq, head, time_text AS time, signature, posted_at
        FROM checkpoints WHERE user_id = $1 ORDER BY device_id
        """,
    ),
)
