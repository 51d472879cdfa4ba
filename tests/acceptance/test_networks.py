"""Networks with the whole SDK and a real server: connected, read into the journal with pictures, and published to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.connected import PNG
from tests.support.diarist import Diarist, diarist
from tests.support.mastodon_instance import MastodonInstance
from tests.support.process import running_server
from tests.support.social_network import running_network


@pytest.fixture
def instance() -> Iterator[MastodonInstance]:
    with running_network(MastodonInstance()) as running:
        yield running


@pytest.fixture
async def grace(
    tmp_path: Path, server_environment: dict[str, str], instance: MastodonInstance
) -> AsyncIterator[Diarist]:
    """Somebody whose server reaches the instance."""
    environment = {
        **server_environment,
        "LOCKLEAF_DATA_DIR": str(tmp_path / "server"),
        "LOCKLEAF_INTEGRATIONS__PRIVATE_HOSTS": instance.host,
    }
    with running_server(environment, log=tmp_path / "log") as server:
        async with diarist(tmp_path / "grace", server.url) as grace:
            yield grace


async def test_a_post_becomes_an_entry_with_its_picture_and_an_entry_becomes_a_post(
    grace: Diarist, instance: MastodonInstance, tmp_path: Path
) -> None:
    laptop = await grace.first("laptop")
    begun = await laptop.networks.connect("mastodon", instance=instance.url)
    code = instance.allow(begun.authorization_url)
    made = await laptop.networks.finish("mastodon", state=begun.state, code=code)
    assert (made.provider, made.state, await laptop.networks.list()) == ("mastodon", "connected", (made,))
    instance.write("The sea at noon. #sea", media=[instance.picture(PNG, "image/png")])
    instance.write("not for the journal", media=[instance.picture(PNG, "image/png")])
    assert (await laptop.networks.pull("mastodon")).added == 2
    await laptop.sync()
    kept, other = sorted(await laptop.inbox.list(), key=lambda item: item.body == "not for the journal")
    assert (kept.body, kept.tags, kept.files, kept.missing) == ("The sea at noon. #sea", ("sea",), 1, 0)
    entry = await laptop.inbox.accept(kept.id)
    await laptop.inbox.refuse(other.id)
    await laptop.sync()
    await laptop.sync()
    (attachment,) = await laptop.media.list(entry.id)
    saved = await laptop.media.download(attachment.attachment.media_id, tmp_path / "sea.png")
    assert saved.read_bytes() == PNG

    written = await laptop.journal.write(body="Said to the world.")
    await laptop.sync()
    done = await laptop.networks.publish(written.id, "mastodon", text="Said to the world.", visibility="unlisted")
    again = await laptop.networks.publish(written.id, "mastodon", text="Said to the world.")
    assert (done.status, again.external_id) == ("published", done.external_id)
    assert [status.text for status in instance.statuses].count("Said to the world.") == 1
    assert "published" in {each.event for each in await laptop.history(written.id)}
    await laptop.networks.disconnect(made.id)
    assert await laptop.networks.list() == ()
    assert instance.tokens == {}
