"""Diaries over plain HTTP: thin clients of uce accounts, and what a full client of the same account seals and opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx

from lockleaf.crypto.envelope import RecordContext, open_record, seal_record
from lockleaf.crypto.history import meta
from lockleaf.crypto.keyring import UCE_LABEL, Keyring, open_keyring
from lockleaf.crypto.labels import label
from lockleaf.crypto.uce import derive_kek
from lockleaf.wire.content import labelled, shared_source
from lockleaf.wire.days import shared_date
from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.accounts import ZERO, Owner, change, sealed
from tests.support.uce_holders import Thin

__all__ = ["FullClient", "next_body", "sealed_body", "thin"]


async def thin(http: httpx.AsyncClient, **fields: Any) -> Owner:
    """A new uce account, and a session of it."""
    person = await Thin().sign_up(http, **fields)
    return Owner(http, person.email, person.secret, person.tokens)


def sealed_body(**fields: Any) -> dict[str, Any]:
    """The body that makes an entry of an end-to-end encrypted account, unless ``fields`` say otherwise."""
    body = {"id": str(uuid4()), "payload": sealed(), "base_revision": 0, "parent": ZERO, **fields}
    encoded = {name: encode_base64(value) for name, value in body.items() if isinstance(value, bytes)}
    if "labels" in body:
        encoded["labels"] = [encode_base64(each) for each in body["labels"]]
    return {name: value for name, value in {**body, **encoded}.items() if value is not None}


def next_body(entry: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The body of the change that follows an entry."""
    parent = sha256(decode_base64(entry["payload"])).digest()
    return sealed_body(**{"id": None, "base_revision": entry["revision"], "parent": parent, **fields})


@dataclass
class FullClient:
    """A client that opens the keyring of a uce account itself, and seals on its device."""

    owner: Owner
    user_id: str
    keyring: Keyring

    @classmethod
    async def of(cls, owner: Owner) -> FullClient:
        """Open the account's keyring with its password, as PROTOCOL section 7 says."""
        me = (await owner.request("GET", "/auth/me")).json()
        kek = derive_kek(owner.password, decode_base64(me["kek_salt"]))
        keyring = open_keyring(
            decode_base64(me["keyring"]), kek, label=UCE_LABEL, user_id=me["id"], version=me["keyring_version"]
        )
        return cls(owner, me["id"], keyring)

    def labels(self, content: dict[str, Any]) -> tuple[bytes, ...]:
        """The labels of an entry, sorted."""
        return tuple(sorted({label(self.keyring.index_key, kind, value) for kind, value in labelled(content)}))

    def tag_id(self, name: str) -> str:
        """The id of the tag of a name."""
        return label(self.keyring.index_key, "tag", name).hex()

    async def push(
        self, content: dict[str, Any], *, collection: str = "entries", record_id: str | None = None, revision: int = 1,
        parent: bytes = ZERO, deleted: bool = False,
    ) -> str:  # fmt: skip
        """Seal a record and push it as the ``revision`` after ``parent``; return its id."""
        record_id = record_id or str(uuid4())
        is_entry = collection == "entries" and not deleted
        labels: Sequence[bytes] = self.labels(content) if is_entry else ()
        source = shared_source(content) if is_entry else None
        occurred_at = shared_date(content) if is_entry else None
        context = RecordContext(
            self.user_id, collection, record_id, revision, parent, deleted, meta(labels, source, occurred_at)
        )
        payload = seal_record(self.keyring, context, content)
        pushed = change(
            collection=collection, record_id=record_id, base_revision=revision - 1, parent=parent, payload=payload,
            deleted=deleted, labels=list(labels), client_updated_at=datetime.now(UTC),
            **({"source": source} if source else {}), **({"occurred_at": occurred_at} if occurred_at else {}),
        )  # fmt: skip
        [result] = await self.owner.results(pushed)
        assert result["status"] == "applied", result
        return record_id

    async def pull(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Read the whole feed; return what the present records hold by (collection, id), without writer and time."""
        found = {}
        for record in (await self.owner.feed())["changes"]:
            if record.get("superseded"):
                continue
            place = (record["collection"], record["record_id"])
            context = RecordContext(
                self.user_id, *place, record["revision"], record["parent"], record["deleted"],
                meta(record.get("labels", ()), record.get("source"), record.get("occurred_at")),
            )  # fmt: skip
            found[place] = open_record(self.keyring, context, record["payload"])
            for name in ("device", "written_at"):  # differ from run to run
                found[place].pop(name, None)
        return found
