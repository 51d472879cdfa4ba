"""Making the demonstration: accounts, devices, entries, files, a conflict, an inbox item, an index, through the SDK."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path

import httpx

from lockleaf import client as sdk
from lockleaf.cli.demonstration.people import PASSWORD, PEOPLE, Page, Person, pages
from lockleaf.cli.demonstration.sample_files import SAMPLE_FILES

__all__ = ["seed"]


async def seed(
    server: str,
    home: Path,
    *,
    today: date,
    users_only: bool = False,
    deliver: Callable[[str], Awaitable[object]],
    progress: Callable[[str], None] = lambda what: None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Make the people of the demonstration on ``server``, with their devices below ``home``.

    Arguments:
        today: entries are dated back from it.
        users_only: accounts and devices, and nothing in them.
        deliver: puts a sealed item into the inbox of an email's account.
        progress: told what is being done, in a word or two.
        transport: replaces the network, for a server in the same process.

    Raises:
        LockleafError: the server refused something.
    """
    devices = _Devices(home, transport)
    for person in PEOPLE:
        progress(person.display_name)
        await _settle(devices, server, person)
        if not users_only:
            await _write(devices, person, today)
    if users_only:
        return
    progress("a conflict")
    await _disagree(devices, PEOPLE[0].profiles)
    progress("an inbox item")
    await deliver(PEOPLE[0].email)
    await devices.sync(*PEOPLE[0].profiles)
    for person in PEOPLE:
        if person.searches_blindly:
            progress("a search index")
            await _index(devices, person)


class _Devices:
    """The profiles of the demonstration, each opened for as long as it is needed."""

    def __init__(self, home: Path, transport: httpx.AsyncBaseTransport | None) -> None:
        self._home = home
        self._transport = transport

    @asynccontextmanager
    async def open(self, profile: str) -> AsyncIterator[sdk.Client]:
        # The keys lie in private files beside the profiles: no demonstration writes into a person's own keychain.
        keychain = sdk.FileKeychain(sdk.ProfileFolder(self._home, profile).path / "keychain.json")
        async with await sdk.Client.open(
            self._home, profile, keychain=keychain, http_transport=self._transport
        ) as client:
            yield client

    async def sync(self, *profiles: str) -> None:
        for profile in profiles:
            async with self.open(profile) as client:
                await _sync(client)


async def _sync(client: sdk.Client) -> None:
    report = await client.sync()
    if isinstance(report.media.trouble, sdk.StoreNotPinned):
        # Whoever furnishes a server of their own has decided where its files lie.
        await client.media.allow_store(report.media.trouble.origin)
        await client.sync()


async def _settle(devices: _Devices, server: str, person: Person) -> None:
    """Make an account, and log its further devices in."""
    first, *others = person.profiles
    async with devices.open(first) as client:
        await client.account.register(
            server,
            person.email,
            PASSWORD,
            device_name=first,
            display_name=person.display_name,
            custody=person.custody,
            privacy_tier=person.privacy_tier,
        )
    for profile in others:
        async with devices.open(profile) as client:
            await client.account.login(server, person.email, PASSWORD, device_name=profile, custody=person.custody)


async def _write(devices: _Devices, person: Person, today: date) -> None:
    async with devices.open(person.profiles[0]) as client:
        for page in pages(person):
            await _write_page(client, page, today)
        if person.privacy_tier == "full_sync":
            await _sync(client)


async def _write_page(client: sdk.Client, page: Page, today: date) -> None:
    entry = await client.journal.write(
        title=page.title,
        body=page.body,
        mood=page.mood,
        tags=page.tags,
        date=page.day(today),
        entry_id=page.entry_id,
    )
    for name in page.files:
        with _sample_file(name) as file:
            await client.media.attach(entry.id, file)


@contextmanager
def _sample_file(name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lockleaf-demo-") as folder:
        file = Path(folder, name)
        file.write_bytes(SAMPLE_FILES[name]())
        yield file


async def _index(devices: _Devices, person: Person) -> None:
    """Have the server keep an index of digests; each device is to be told to keep it up."""
    for profile in person.profiles:
        async with devices.open(profile) as client:
            await client.search.switch_on()


async def _disagree(devices: _Devices, profiles: Sequence[str]) -> None:
    """Let two devices change the same line while neither hears of the other."""
    versions = ("We will paint the kitchen first: green.", "We will paint the kitchen first: yellow.")
    await devices.sync(*profiles)
    for profile, line in zip(profiles, versions, strict=True):
        async with devices.open(profile) as client:
            newest = (await client.journal.list(limit=1))[0]
            await client.journal.edit(newest.id, body=newest.body.replace(newest.body.split("\n")[0], line))
    await devices.sync(*profiles)
