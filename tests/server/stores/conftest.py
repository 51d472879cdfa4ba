"""Both object stores, each started once. A module has one event loop: an S3 client takes half a second to make."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.object_stores import Bearer, FileSite, S3Site, Site, bearer, file_site
from tests.support.s3_front import running_s3_front


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileSite]:
    with file_site(tmp_path_factory.mktemp("objects")) as site:
        yield site


@pytest.fixture(scope="session")
def bucket() -> Iterator[S3Site]:
    with running_s3_front() as front:
        yield S3Site(front)


@pytest.fixture(scope="session", params=["file", "s3"])
def site(request: pytest.FixtureRequest) -> Site:
    found: Site = request.getfixturevalue({"file": "files", "s3": "bucket"}[request.param])
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def someone(site: Site) -> AsyncIterator[Bearer]:
    async with bearer(site) as someone:
        yield someone
