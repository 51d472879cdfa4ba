"""An archive of ciphertext, imported: into its own account it adds nothing, into another it makes the same journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockleaf.client import ImportOptions
from lockleaf.client.errors import ImportRefused, WrongPassword
from tests.acceptance.test_archive_open import PHOTO, kept
from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.offline_devices import offline_device
from tests.support.process import RunningServer


async def test_an_archive_comes_back_into_its_account_and_into_another(
    server: RunningServer, server_environment: dict[str, str], tmp_path: Path
) -> None:
    laptop, email = CommandLine(tmp_path / "home", "laptop"), fresh_email()
    laptop.run("register", "--server", server.url, "--email", email, "--device-name", "laptop")
    async with await laptop.client() as client:
        archive = await kept(client, tmp_path, tmp_path / "worker", server_environment)
        before = {each.id: each for each in await client.journal.list(include_deleted=True)}
    own = laptop.run("import", str(archive), "--json").value()
    assert (own["format"], own["added"], own["present"], own["files"]) == ("lockleaf-archive", 0, 3, 0)

    async with offline_device(tmp_path / "other") as (other, _):
        with pytest.raises(ImportRefused):
            await other.journal.import_from(archive)
        with pytest.raises(WrongPassword):
            await other.journal.import_from(archive, options=ImportOptions(password="another password"))
        for added, present in ((3, 0), (0, 3)):
            report = await other.journal.import_from(archive, options=ImportOptions(password=PASSWORD))
            assert (report.added, report.present, report.of("skipped")) == (added, present, ())
        found = {each.id: each for each in await other.journal.list(include_deleted=True)}
        told = {
            entry_id: (each.title, each.body, each.date, each.tags, each.mood, dict(each.metrics), each.deleted)
            for entry_id, each in found.items()
        }
        assert told == {
            entry_id: (each.title, each.body, each.date, each.tags, each.mood, dict(each.metrics), each.deleted)
            for entry_id, each in before.items()
        }
        (photo,) = await other.media.list()
        saved = await other.media.download(photo.attachment.media_id, tmp_path / "saved.jpg")
        assert saved.read_bytes() == PHOTO
