"""Whatever writes records goes by one way: who follows it is told, in the transaction that writes."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import lockleaf.server
from lockleaf.server.features.sync.gathering import Gathering
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.parts import Parts
from lockleaf.server.records.writer import Rules, Written
from tests.support.accounts import Owner, change, register
from tests.support.diaries import thin

BACKUP = {
    "log_id": "first",
    "encrypted_content": "c2VhbGVk",
    "content_iv": "an iv",
    "content_tag": "a tag",
    "created_at": "2026-03-14T18:30:00Z",
    "updated_at": "2026-03-14T18:30:00Z",
    "device_id": "phone",
}
BLOB = {"vault_id": "keys", "ciphertext": "c2VhbGVk", "iv": "an iv", "salt": "a salt", "version": 1}


class Follower:
    """Follows what is written, and may refuse it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.refuses = False

    async def __call__(self, written: Written) -> None:
        """Note the collections of what was written."""
        for each, outcome in zip(written.changes, written.outcomes, strict=True):
            seq = await written.tx.connection.fetchval(
                "SELECT seq FROM records WHERE user_id = $1 AND collection = $2 AND record_id = $3",
                written.author.user_id,
                each.collection,
                each.record_id,
            )
            assert outcome.status != "applied" or seq == outcome.seq, "the store has it in this very transaction"
            self.told.append(f"{each.collection}: {outcome.status}")
        if self.refuses:
            raise ZeroDivisionError

    def said(self) -> list[str]:
        """Return what was told since the last time."""
        told, self.told = self.told, []
        return told


@pytest.fixture
def follower(replaceable: Parts) -> Follower:
    """One that follows behind the server's own."""
    parts, found = replaceable, Follower()
    rules = parts.add(Rules, replace(parts[Rules], observers=(*parts[Rules].observers, found)))
    parts.add(Gathering, Gathering(parts[Database], parts[Clock], rules))
    return found


async def _sent(owner: Owner, method: str, path: str, body: Any = None) -> Any:
    answer = await owner.request(method, path, **({} if body is None else {"json": body}))
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def test_every_endpoint_that_writes_records_tells_who_follows(
    http: httpx.AsyncClient, follower: Follower
) -> None:
    owner, ada = await register(http), await thin(http)
    await owner.push(change())
    assert follower.said() == ["entries: applied"]
    await _sent(owner, "POST", "/vault", BLOB)
    await _sent(owner, "DELETE", "/vault/keys")
    assert follower.said() == ["vault: applied"] * 2
    await _sent(owner, "POST", "/sync/backup", BACKUP)
    await _sent(owner, "DELETE", "/sync/backup/first")
    assert follower.said() == ["backups: applied"] * 2

    entry = await _sent(ada, "POST", "/entries", {"content": "Rain.", "tags": ["sea"]})
    assert follower.said() == ["entries: applied", "tags: applied"]
    (tag,) = await _sent(ada, "GET", "/tags")
    await _sent(ada, "PUT", f"/tags/{tag['id']}", {"name": "coast"})
    assert follower.said() == ["tags: applied"] * 2 + ["entries: applied"]
    await _sent(ada, "DELETE", f"/entries/{entry['id']}")
    await _sent(ada, "POST", f"/entries/{entry['id']}/restore")
    assert follower.said() == ["entries: applied"] * 2


async def test_what_a_follower_refuses_was_not_written(http: httpx.AsyncClient, follower: Follower) -> None:
    ada = await thin(http)
    follower.refuses = True
    assert (await ada.request("POST", "/entries", json={"content": "Rain.", "tags": ["sea"]})).status_code == 500
    follower.refuses = False
    assert (await _sent(ada, "GET", "/entries"))["items"] == await _sent(ada, "GET", "/tags") == []
    await _sent(ada, "POST", "/entries", {"content": "Rain."})


def test_a_change_is_made_and_written_in_one_place() -> None:
    server = Path(lockleaf.server.__file__).parent
    makers, writers = set(), set()
    for file in server.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called == "Change":
                makers.add(file.relative_to(server).as_posix())
            elif called == "service.push" and "records" in file.parts:
                writers.add(file.relative_to(server).as_posix())
    assert makers == writers == {"records/writer.py"}
