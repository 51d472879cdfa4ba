"""Files through a bucket: the real SDK and a server whose store is S3, behind a front as strict as S3 is."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from lockleaf.client.errors import ObjectStoreUnreachable, StoreNotPinned, StoreUnavailable
from lockleaf.client.media.staging import ONE_PART
from tests.support.diarist import diarist
from tests.support.process import RunningServer, running_server
from tests.support.s3_front import S3Front, running_s3_front


@pytest.fixture(scope="module")
def front() -> Iterator[S3Front]:
    with running_s3_front() as front:
        yield front


@pytest.fixture(scope="module")
def server(
    front: S3Front, server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server on this worker's database, with the bucket for a store."""
    data_dir = tmp_path_factory.mktemp("bucket")
    environment = {"LOCKLEAF_DATA_DIR": str(data_dir), **front.environment()}
    with running_server(server_environment | environment, log=data_dir / "log") as running:
        yield running


async def test_files_go_through_a_bucket_in_one_piece_and_in_parts_also_when_it_breaks_off(
    server: RunningServer, front: S3Front, tmp_path: Path
) -> None:
    (tmp_path / "small").write_bytes(b"few")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(ONE_PART + 5)
    async with diarist(tmp_path / "home", server.url) as ada:
        laptop = await ada.first()
        await laptop.media.allow_store(front.url)
        entry = await laptop.journal.write(body="text")
        made = [await laptop.media.attach(entry.id, tmp_path / name) for name in ("small", "large")]
        front.die("body", "PUT")
        report = await laptop.sync()
        assert (report.media.uploaded, report.media.waiting, report.media.trouble) == (2, 0, None)
        phone = await ada.another()
        await phone.media.allow_store(front.url)
        await phone.sync()
        front.die("body", "GET")
        for each in made:
            saved = await phone.media.download(each, tmp_path / f"{each.name} again")
            assert sha256(saved.read_bytes()).digest() == each.sha256


async def test_while_a_bucket_cannot_be_reached_files_wait(
    server: RunningServer, front: S3Front, tmp_path: Path
) -> None:
    (tmp_path / "small").write_bytes(b"few")
    async with diarist(tmp_path / "home", server.url) as ada:
        laptop = await ada.first()
        await laptop.media.allow_store(front.url)
        entry = await laptop.journal.write(body="text")
        made = await laptop.media.attach(entry.id, tmp_path / "small")
        with front.unreachable():
            report = await laptop.sync()
            assert (report.pushed, report.media.waiting) == (1, 1)
            assert isinstance(report.media.trouble, ObjectStoreUnreachable | StoreUnavailable)
        assert (await laptop.sync()).media.uploaded == 1
        assert (await laptop.media.download(made, tmp_path / "again")).read_bytes() == b"few"


async def test_a_store_that_its_user_did_not_allow_gets_no_byte_and_the_file_waits(
    server: RunningServer, front: S3Front, tmp_path: Path
) -> None:
    (tmp_path / "small").write_bytes(b"few")
    async with diarist(tmp_path / "home", server.url) as ada:
        laptop = await ada.first()
        entry = await laptop.journal.write(body="text")
        made = await laptop.media.attach(entry.id, tmp_path / "small")
        report = await laptop.sync()
        assert (report.pushed, report.media.uploaded, report.media.waiting) == (1, 0, 1)
        assert isinstance(report.media.trouble, StoreNotPinned)
        # What the error names is what its user may agree to.
        assert await laptop.media.allow_store(report.media.trouble.origin) == front.url
        assert (await laptop.sync()).media.uploaded == 1
        phone = await ada.another()
        await phone.sync()
        with pytest.raises(StoreNotPinned):
            await phone.media.download(made, tmp_path / "again")
        assert not (tmp_path / "again").exists()
        # The choice survives a journal that is forgotten, as all that holds a server to something does.
        await laptop.account.logout(forget=True)
        await ada.login(laptop)
        assert await laptop.media.stores() == (front.url,)
        assert await laptop.media.forbid_store(front.url)
        assert await laptop.media.stores() == ()
