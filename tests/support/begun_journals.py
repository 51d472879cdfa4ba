"""Journals that were begun without an account, with one of everything in them, and accounts that they join."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from lockleaf.client import Client, DraftContent, EditConflict
from lockleaf.crypto.kdf import CHEAPEST
from tests.support import killed_logins
from tests.support.command_line import PASSWORD, fresh_email
from tests.support.process import RunningServer

__all__ = ["BYTES", "MINE", "Begun", "account_at", "opened"]

BYTES = bytes(range(256)) * 300
MINE = killed_logins.PROFILE


async def opened(home: Path, name: str = MINE, **settings: object) -> Client:
    return await Client.open(home, name, allow_test_parameters=True, **settings)  # type: ignore[arg-type]


async def account_at(server: RunningServer, home: Path, *bodies: str, custody: str = "e2e") -> tuple[str, list[str]]:
    """Make an account with entries; return its name and its recovery codes."""
    email = fresh_email()
    async with await opened(home, "first") as first:
        codes = await first.account.register(
            server.url, email, PASSWORD, device_name="first", kdf_profile=CHEAPEST, custody=custody  # type: ignore[arg-type]
        )  # fmt: skip
        for body in bodies:
            await first.journal.write(body=body, tags=["home"])
        await first.sync()
    return email, list(codes)


@dataclass(frozen=True)
class Begun:
    """What a journal without an account holds."""

    kept: str
    deleted: str
    disputed: str
    attachment: str
    removed: str
    draft: str

    @classmethod
    async def at(cls, home: Path) -> Begun:
        """Begin a journal, and put one of everything into it."""
        file = home / "note.bin"
        home.mkdir(parents=True, exist_ok=True)
        file.write_bytes(BYTES)
        async with await opened(home) as client:
            await client.begin(device_name=MINE)
            journal = client.journal
            kept = (await journal.write(body="first words", tags=["Home", "sea"], metrics={"sleep": 7}, mood="calm")).id
            await journal.recolor_tag("sea", "#123456")
            attachment = (await client.media.attach(kept, file)).media_id
            removed = (await client.media.attach(kept, file, name="taken off")).media_id
            await client.media.delete(removed)
            await journal.edit(kept, body="other words")
            deleted = (await journal.write(body="deleted")).id
            await journal.delete(deleted)
            seen = await journal.write(body="one")
            await journal.edit(seen.id, body="two")
            with pytest.raises(EditConflict):
                await journal.edit(seen.id, body="three", base=seen)
            draft = client.drafts.begin("write", DraftContent(text=b"half a thought")).id
        return cls(kept, deleted, seen.id, attachment, removed, draft)

    async def check(self, client: Client, out: Path) -> None:
        """Look whether all of it is there."""
        entry = await client.journal.get(self.kept)
        assert (entry.body, entry.tags, entry.metrics) == ("other words", ("Home", "sea"), {"sleep": 7})
        assert (await client.journal.tag("sea")).color == "#123456"
        texts = [each.entry.body for each in await client.history(self.kept, offline=True) if each.entry is not None]
        assert "first words" in texts
        assert [each.body for each in await client.journal.list(include_deleted=True) if each.id == self.deleted]
        (conflict,) = await client.journal.conflicts()
        assert conflict.local is not None
        assert (conflict.entry_id, conflict.local.body) == (self.disputed, "three")
        assert client.drafts.content(client.drafts.find(self.draft)).text == b"half a thought"
        path = await client.media.download(self.attachment, out, overwrite=True)
        assert path.read_bytes() == BYTES
