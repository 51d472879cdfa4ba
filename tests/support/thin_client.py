"""A client that keeps nothing: it changes the diary of a uce account at the server, while devices have theirs."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

import httpx

from lockleaf.crypto.keyring import UCE_LABEL, open_keyring
from lockleaf.crypto.uce import derive_kek
from lockleaf.wire.fields import decode_base64
from tests.support.journal_devices import TestAccount

__all__ = ["ThinClient", "new_uce_account"]


async def new_uce_account(url: str) -> tuple[TestAccount, dict[str, str]]:
    """Sign up a new account in user-controlled encryption; it, and the headers of its first session."""
    email, password, user_id = f"{secrets.token_hex(8)}@example.org", secrets.token_urlsafe(16), str(uuid.uuid4())
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=60, verify=False) as http:
        body = {"id": user_id, "email": email, "password": password, "encryption_tier": "uce"}
        answer = await http.post("/auth/signup", json=body)
        assert answer.status_code == 201, answer.text
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        me = (await http.get("/auth/me", headers=headers)).json()
    keyring = open_keyring(
        decode_base64(me["keyring"]),
        derive_kek(password, decode_base64(me["kek_salt"])),
        label=UCE_LABEL,
        user_id=user_id,
        version=me["keyring_version"],
    )
    return TestAccount(url, user_id, email, password, keyring, custody="uce"), headers


class ThinClient:
    """Writes through ``/entries`` and decides conflicts; what it was answered is acknowledged."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.http = httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=60, verify=False)

    async def listed(self, **params: str) -> list[dict[str, Any]]:
        """The entries as the server opens them."""
        answer = await self.http.get("/entries", params={"limit": "500", **params})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def chosen(self, choice: int, deleted: str = "false") -> dict[str, Any] | None:
        """The entry that ``choice`` falls on."""
        items = sorted(await self.listed(deleted=deleted), key=lambda item: str(item["id"]))
        return items[choice % len(items)] if items else None

    async def write(self, **fields: Any) -> str:
        """Make an entry; its id."""
        answer = await self.http.post("/entries", json=fields)
        assert answer.status_code == 201, answer.text
        entry_id: str = answer.json()["id"]
        return entry_id

    async def change(self, entry: dict[str, Any], **fields: Any) -> None:
        """Change fields of an entry as it was read."""
        body = {**fields, "revision": entry["revision"] + 1}
        answer = await self.http.put(f"/entries/{entry['id']}", json=body)
        assert answer.status_code == 200, answer.text

    async def step(self, method: str, path: str) -> None:
        """Delete an entry, or restore it."""
        answer = await self.http.request(method, path)
        assert answer.status_code == 200, answer.text

    async def resolve(self, choice: int, version: str, content: str) -> bool:
        """Decide an open conflict; False if there is none."""
        open_ones = (await self.http.get("/sync/conflicts")).json()["conflicts"]
        if not open_ones:
            return False
        conflict = open_ones[choice % len(open_ones)]
        body = {"chosen_version": version, "base_revision": conflict["remote_version"]["revision"]}
        body |= {"content": content} if version == "merged" else {}
        answer = await self.http.post(f"/sync/conflicts/{conflict['id']}/resolve", json=body)
        assert answer.status_code == 200, answer.text
        return True
