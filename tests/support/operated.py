"""A server on a database of its own, for what an operator does to a whole one."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lockleaf.server.main.maintenance.backup import BackupMade, back_up
from lockleaf.server.main.maintenance.sources import open_backup
from lockleaf.server.main.maintenance.verification import verify
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from tests.conftest import migrated_database
from tests.support.account_holders import served
from tests.support.accounts import Owner, register

__all__ = ["Site", "operated"]


@dataclass
class Site:
    """A server on a database of its own, and somebody with an account."""

    parts: Parts
    owner: Owner
    url: str
    folder: Path

    @property
    def store(self) -> ObjectStore:
        """Where its attached files are."""
        store: ObjectStore = self.parts[ObjectStore]
        return store

    async def disconnect(self) -> None:
        """Let the server be without connections, as if it had stopped; it takes new ones when it is asked."""
        await self.parts[EventHub].stop()
        await self.parts[Database].close()

    async def back_up(self, **options: object) -> BackupMade:
        """Make a backup in the folder `backups`."""
        return await back_up(self.url, self.store, self.folder / "backups", **options)  # type: ignore[arg-type]

    async def wrong(self) -> dict[str, int]:
        """What a verification of the newest backup finds."""
        with open_backup(self.folder / "backups", (), scratch=self.folder) as source:
            return (await verify(source, self.folder)).wrong


@asynccontextmanager
async def operated(
    environment: Mapping[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    """Serve a database that no other test has; settings are in the environment."""
    url = await asyncio.to_thread(migrated_database, f"operated_{secrets.token_hex(4)}")
    for name, value in {**environment, "DATABASE_URL": url, "LOCKLEAF_DATA_DIR": str(folder / "data")}.items():
        monkeypatch.setenv(name, value)
    async with served(Settings()) as (app, http):
        yield Site(app.state.parts, await register(http), url, folder)
