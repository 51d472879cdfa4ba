"""A server whose files lie in a bucket is backed up while it serves, and made anew from that elsewhere."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockleaf.client.errors import ServerRestored
from lockleaf.server.platform.blobs.s3_forms import PART
from tests.conftest import fresh_database, migrated_database
from tests.support.installations import Installation, attach, bodies, synced
from tests.support.s3_front import S3Front, running_s3_front


@pytest.fixture
def front() -> Iterator[S3Front]:
    with running_s3_front() as front:
        yield front


@pytest.fixture
def first(front: S3Front, tmp_path: Path) -> Installation:
    """A server with a PostgreSQL of its operator's, and a part of the bucket."""
    url = migrated_database(f"lockleaf_first_{secrets.token_hex(4)}")
    settings = {**_settings(front, url, "first/"), "SECRET_KEY": secrets.token_urlsafe(48)}
    return Installation(tmp_path / "first", settings)


@pytest.fixture
def second(front: S3Front, tmp_path: Path, first: Installation) -> Installation:
    """Another one in its place, with an empty database and an empty part of the bucket."""
    url = fresh_database(f"lockleaf_second_{secrets.token_hex(4)}")
    settings = {**first.settings, **_settings(front, url, "second/")}
    return Installation(tmp_path / "second", settings, first.port)


def _settings(front: S3Front, url: str, prefix: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "LOCKLEAF_BLOBS__PREFIX": prefix, **front.environment()}


async def test_a_backup_makes_the_same_server_on_another_database_and_bucket_and_devices_bring_what_came_since(
    first: Installation, second: Installation, front: S3Front, tmp_path: Path
) -> None:
    large = bytes(PART)  # sealed it is longer, and goes back in parts
    async with first.people() as ada:
        with first.running():
            laptop = await ada.first()
            phone, tablet = await ada.another("phone"), await ada.another("tablet")
            for device in (laptop, phone, tablet):
                await device.media.allow_store(front.url)
            files = {
                await attach(laptop, tmp_path, "in parts", large): large,
                await attach(laptop, tmp_path, "in one", b"in one"): b"in one",
            }
            for device in (phone, tablet):
                await device.sync()
            with front.unreachable():
                refused = await asyncio.to_thread(first.admin, "backup", str(first.backups), code=8)
            assert "does not answer" in str(refused["message"])
            made = await asyncio.to_thread(first.admin, "backup", str(first.backups))
            assert (made["accounts"], made["copied"], made["missing"]) == (1, 2, 0)
            files[await attach(laptop, tmp_path, "on the laptop", b"since, on the laptop")] = b"since, on the laptop"
            files[await attach(phone, tmp_path, "on the phone", b"since, on the phone")] = b"since, on the phone"
            edited = next(entry for entry in await phone.journal.list() if entry.body == "in one")
            await phone.journal.edit(edited.id, title="edited since")
            await phone.sync()
        verified = first.admin("verify", str(first.backups))
        assert (verified["files"], verified["wrong"]) == (2, {})
        front.heard.clear()
        done = second.admin("restore", str(first.backups))
        assert (done["accounts"], done["files_put"], done["files_there"]) == (1, 2, 0)
        assert not [each for each in front.heard if "/first/" in each]
        with second.running():
            with pytest.raises(ServerRestored):
                await ada.login(laptop)
                await laptop.sync()
            for device in (laptop, phone, tablet, laptop):
                await synced(device, ada)
            for device in (laptop, phone, tablet):
                assert await bodies(device) == ["in one", "in parts", "on the laptop", "on the phone"]
                assert (await device.journal.get(edited.id)).title == "edited since"
            front.heard.clear()
            for media_id, content in files.items():
                path = await tablet.media.download(media_id, tmp_path / media_id)
                assert path.read_bytes() == content
            assert not [each for each in front.heard if "/first/" in each]
            found = (await asyncio.to_thread(second.admin, "doctor"))["checks"]
            assert isinstance(found, list)
            # The disk is that of whoever runs the tests.
            levels = {each["check"]: each["level"] for each in found if each["check"] != "disk"}
            assert {"store", "files", "usage", "clock"} < levels.keys()
            assert set(levels.values()) == {"ok"}
