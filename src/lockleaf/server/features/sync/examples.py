"""Examples of ``/sync``, without backups: changes, the feed, checkpoints, conflicts."""

from __future__ import annotations

from lockleaf.server.features.people import CALM, ENTRY, EPOCH, FIRST, GARDEN, LAPTOP, PHONE, SECOND
from lockleaf.server.platform.http.examples import NONE, Examples, digest, envelope, hash_of, opaque

__all__ = ["EXAMPLES"]

_AT_HALF_SEVEN, _AT_NINE = "2026-03-14T07:30:11.204482Z", "2026-03-14T21:02:40Z"
_HEAD, _CURSOR = digest("head 42"), opaque("cursor at 42", 48)
_MADE_ON_THE_LAPTOP = {"device_id": LAPTOP, "client_updated_at": "2026-03-14T07:30:09Z"}

_NEW = {
    "collection": "entries",
    "record_id": ENTRY,
    "base_revision": 0,
    "parent": NONE,
    "payload": FIRST,
    "labels": [CALM, GARDEN],
    **_MADE_ON_THE_LAPTOP,
}
_TOMBSTONE = {
    "collection": "tags",
    "record_id": "5b1d2f6a0c9e47d3814fa2be6c70d915",
    "base_revision": 3,
    "parent": digest("the tag before"),
    "payload": envelope("tombstone"),
    "deleted": True,
    **_MADE_ON_THE_LAPTOP,
}
_RECORD = {
    "superseded": False,
    "seq": 42,
    "collection": "entries",
    "record_id": ENTRY,
    "revision": 2,
    "parent": hash_of(FIRST),
    "payload": SECOND,
    "deleted": False,
    "labels": [CALM, GARDEN],
    "device_id": PHONE,
    "client_updated_at": _AT_NINE,
    "created_at": _AT_HALF_SEVEN,
    "updated_at": "2026-03-14T21:02:41.377482Z",
}
_LEAF = {
    "superseded": True,
    "seq": 41,
    "collection": "entries",
    "record_id": ENTRY,
    "revision": 1,
    "parent": NONE,
    "meta": digest("meta of the first revision"),
    "payload_hash": hash_of(FIRST),
    "deleted": False,
}
_END = {"seq": 42, "head": _HEAD, "epoch": EPOCH}
_PAGE = {
    "cursor": _CURSOR,
    "has_more": False,
    **_END,
    "epochs": [{"epoch": EPOCH, "from_seq": 0, "from_head": NONE, "ended": False, "statements": []}],
}
_STATEMENT = {
    "kind": "accepted",
    "n": 1,
    "old_epoch": EPOCH,
    "seq": 40,
    "head": digest("the head at 40"),
    "new_epoch": "0190a3a0-0000-7000-8000-0000000000e2",
    "device_id": LAPTOP,
    "time": "2026-03-14T21:05:00Z",
    "signature": opaque("signature of the acceptance", 64),
}
_CHECKPOINT = {
    "epoch": EPOCH,
    "seq": 42,
    "head": _HEAD,
    "device_id": LAPTOP,
    "time": "2026-03-14T21:05:00Z",
    "signature": opaque("signature of the checkpoint", 64),
}

_CONFLICT = "0190a3a0-0000-7000-8000-0000000000c1"
_OTHER = envelope("what the laptop wrote meanwhile")
_SEALED_CONFLICT = {
    "id": _CONFLICT,
    "collection": "entries",
    "log_id": ENTRY,
    "detected_at": "2026-03-14T21:10:00.512482Z",
    "local_version": {
        "encrypted_content": _OTHER,
        "iv": None,
        "tag": None,
        "base_revision": 1,
        "parent": hash_of(FIRST),
        "labels": [GARDEN],
        "deleted": False,
        "device_id": LAPTOP,
        "updated_at": "2026-03-14T20:58:00Z",
    },
    "remote_version": {
        "encrypted_content": SECOND,
        "iv": None,
        "tag": None,
        "base_revision": 1,
        "parent": hash_of(FIRST),
        "revision": 2,
        "labels": [CALM, GARDEN],
        "deleted": False,
        "device_id": PHONE,
        "updated_at": _AT_NINE,
    },
}
_IN_THE_OPEN = {"base_revision": 0, "parent": NONE, "deleted": False}
_BACKUP_CONFLICT = {
    "id": "0190a3a0-0000-7000-8000-0000000000c2",
    "collection": "backups",
    "log_id": "log-2026-03-14",
    "detected_at": "2026-03-14T21:10:00.512482Z",
    "local_version": {
        **_IN_THE_OPEN,
        "encrypted_content": opaque("the laptop's backup", 64),
        "iv": "b64:kx0Zq3m1T0s8e2Vd",
        "tag": "b64:9l5uYw0cQm2kq0C4b3sZJQ==",
        "device_id": "laptop",
        "updated_at": "2026-03-14T20:58:00Z",
    },
    "remote_version": {
        **_IN_THE_OPEN,
        "encrypted_content": opaque("the phone's backup", 64),
        "iv": "b64:Qp7c1mW2x9fJt5Ra",
        "tag": "b64:0c3mD1nqFv0y2XoF6tq7yg==",
        "revision": 1,
        "device_id": "phone",
        "updated_at": _AT_NINE,
    },
}

EXAMPLES = {
    "POST /sync/push": Examples(
        body={
            "a new entry and a deleted tag": {"changes": [_NEW, _TOMBSTONE], "epoch": EPOCH},
            "an edit that is kept as a conflict if another came first": {
                "changes": [
                    {
                        **_NEW,
                        "base_revision": 1,
                        "parent": hash_of(FIRST),
                        "payload": SECOND,
                        "occurred_at": "2026-03-14T07:30:00Z",
                        "on_conflict": "keep",
                    }
                ],
                "atomic": True,
            },
        },
        answer={
            "applied": {
                "results": [
                    {"status": "applied", "seq": 41, "revision": 1},
                    {"status": "applied", "seq": 42, "revision": 4},
                ],
                **_END,
                "cursor": _CURSOR,
            },
            "a retry, and a conflict that is kept": {
                "results": [
                    {"status": "unchanged", "seq": 41, "revision": 1},
                    {"status": "conflict", "current": _RECORD, "conflict_id": _CONFLICT},
                ],
                **_END,
                "cursor": _CURSOR,
            },
        },
    ),
    "GET /sync/changes": Examples(
        answer={
            "an entry with its earlier revision": {"changes": [_LEAF, _RECORD], **_PAGE, "verifiable": True},
            "one collection, which cannot be verified": {"changes": [_RECORD], **_PAGE, "verifiable": False},
        }
    ),
    "GET /sync/checkpoints": Examples(answer={"of one device": {"items": [_CHECKPOINT]}}),
    "POST /sync/checkpoints": Examples(body={"after a sync": _CHECKPOINT}),
    "POST /sync/purge": Examples(answer={"after a rotation": {"revisions": 118, "conflicts": 1, "has_more": False}}),
    "POST /sync/reseal": Examples(
        answer={
            "a slice of many": {
                "job": {
                    "id": "019a4d2c-7e10-7c55-9a3f-2b8e5d1f6a07",
                    "kind": "keys.rotate",
                    "state": "running",
                    "progress": {"done": 1500, "total": 3415},
                    "error_code": None,
                    "created_at": "2026-03-14T18:30:00Z",
                    "started_at": "2026-03-14T18:30:00Z",
                    "finished_at": None,
                },
                "records": 1500,
                "conflicts": 1,
            }
        }
    ),
    "POST /sync/epochs/statements": Examples(body={"after a restore": {"statements": [_STATEMENT]}}),
    "GET /sync/conflicts": Examples(
        answer={
            "an entry": {"conflicts": [_SEALED_CONFLICT], "total_count": 1},
            "a backup of an older client": {"conflicts": [_BACKUP_CONFLICT], "total_count": 1},
        }
    ),
    "POST /sync/conflicts/{conflict_id}/resolve": Examples(
        body={
            "e2e: merged on the device": {
                "chosen_version": "merged",
                "base_revision": 2,
                "parent": hash_of(SECOND),
                "payload": envelope("merged"),
                "labels": [CALM, GARDEN],
                **_MADE_ON_THE_LAPTOP,
            },
            "uce: merged by a thin client": {
                "chosen_version": "merged",
                "base_revision": 2,
                "content": "Planted the beans, and moved the compost.",
                "mood": "calm",
                "tags": ["garden"],
            },
            "a backup, merged": {
                "chosen_version": "merged",
                "final_encrypted_content": opaque("the merged backup", 64),
                "final_iv": "b64:V1k0m9sT3xq7Lw2d",
                "final_tag": "b64:bC2xw8m0Jt5V1yqk9s7dPg==",
            },
            "as the server has it": {"chosen_version": "remote"},
        },
        answer={
            "resolved": {
                "success": True,
                "message": "The conflict is resolved.",
                "details": {
                    "conflict_id": _CONFLICT,
                    "log_id": ENTRY,
                    "chosen_version": "merged",
                    "seq": 43,
                    "revision": 3,
                },
            }
        },
    ),
}
