"""What a step back to an earlier schema would lose is counted, and no step loses anything that it does not name."""

from __future__ import annotations

import re
import secrets

import httpx
import pytest

from lockleaf.server.platform.db.losses import losses
from lockleaf.server.platform.db.migrate import head_revision, sql, steps_back
from tests.support.accounts import register
from tests.support.media import declare

STEPS = steps_back(head_revision(), "base")
DROPPED = re.compile(r"DROP TABLE (\w+)|ALTER TABLE (\w+) DROP COLUMN (\w+)|DELETE FROM (\w+)")
ALEMBICS = "alembic_version"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.revision)
def test_everything_that_a_step_back_drops_is_counted(step: object) -> None:
    revision, before = step.revision, step.down_revision or "base"  # type: ignore[attr-defined]
    counted = [re.sub(r"\bFROM\b", "", rows) for rows in step.LOST_BY_DOWNGRADE.values()]  # type: ignore[attr-defined]
    for table, altered, column, emptied in DROPPED.findall(sql(revision, before, forth=False)):
        if ALEMBICS in (table, emptied):
            continue
        named = [table or altered or emptied, *([column] if column else [])]
        assert any(all(re.search(rf"\b{name}\b", rows) for name in named) for rows in counted), named


async def test_the_present_schema_can_be_asked_for_every_loss(own_database_url: str) -> None:
    url = own_database_url
    assert {loss.what for loss in await losses(url, "base")} <= {
        what for step in STEPS for what in step.LOST_BY_DOWNGRADE
    }
    assert await losses(url, "head") == []


async def test_rows_that_an_earlier_schema_has_no_place_for_are_counted(
    http: httpx.AsyncClient, database_url: str
) -> None:
    async def counts() -> dict[str, int]:
        return {loss.what: loss.count for loss in await losses(database_url, "0006")}

    before = await counts()
    vault = {"username": f"ada-{secrets.token_hex(8)}", "H_auth": "x" * 40, "salt": "c2FsdA==", "vault_id": "v"}
    assert (await http.post("/auth/register", json=vault)).status_code == 201
    owner = await register(http)
    codes = {"current_password": owner.password}
    assert (await owner.request("POST", "/auth/recovery-codes", json=codes)).status_code == 200
    await declare(owner, {"file_size": 3, "mime_type": "image/png", "file_name": "a name"})
    more = {what: count - before.get(what, 0) for what, count in (await counts()).items()}
    assert {what.split(",")[0]: count for what, count in more.items() if count} == {
        "salts of vault clients": 1,
        "ids of vault clients' blobs": 1,
        "recovery codes of accounts without a keyring": 10,
        "names of files": 1,
        "uploads under way that named no digest": 1,
        "notes of what sessions were opened with": 2,
        "notes of how many bytes accounts hold": 1,
    }
