"""What is kept of how much an account holds is what it holds, whatever was done; and is put right otherwise."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from lockleaf.server.features.inbox import service as inbox
from lockleaf.server.features.media.upkeep import forget_unfinished
from lockleaf.server.features.media.upkeep import purge as purge_media
from lockleaf.server.main.app import create_app
from lockleaf.server.main.maintenance.recounting import KINDS, recount
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database, asyncpg_url
from lockleaf.server.platform.holdings import Holdings
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import JobSettings, LimitSettings, MediaSettings, Settings
from lockleaf.server.records import usage
from lockleaf.server.records.purge import purge
from tests.support.accounts import Owner, change, following, register, sealed
from tests.support.diaries import thin
from tests.support.measurers import Measurer, measurer
from tests.support.media import attach, declaration, declare, in_parts, two_parts

DONE = frozenset({200, 201, 202, 204})


async def differing(parts: Parts) -> list[usage.Difference]:
    async with parts[Database].read_driver() as connection:
        return await usage.differences(connection, usage.usages(parts[Holdings]))


class Holder:
    """Accounts of each kind, of which anything may be done at random."""

    def __init__(self, chance: random.Random, parts: Parts, owner: Owner, uce: Owner, metrics: Measurer) -> None:
        self.chance, self.parts, self.owner, self.uce, self.metrics = chance, parts, owner, uce, metrics
        self.pushed: list[dict[str, Any]] = []
        self.entries: list[str] = []
        self.files: list[str] = []
        self.vaults: dict[str, int] = {}
        self.values: list[str] = []

    def any_of(self, held: list[Any]) -> Any:
        return self.chance.choice(held) if held else None

    async def ask(self, owner: Owner, method: str, path: str, body: Any = None) -> httpx.Response:
        answer = await owner.request(method, path, **({} if body is None else {"json": body}))
        assert answer.status_code < 500, answer.text
        return answer

    # ---- end to end encrypted ----

    async def push(self) -> None:
        new = [change(payload=sealed(self.chance.randint(100, 3000))) for _ in range(self.chance.randint(1, 4))]
        self.pushed += new
        await self.owner.push(*new)

    async def edit_twice_at_once(self) -> None:
        if earlier := self.any_of(self.pushed):
            first = following(earlier, payload=sealed(self.chance.randint(100, 3000)))
            second = following(first, deleted=self.chance.random() < 0.3)
            results = await self.owner.results(first, second, first, atomic=self.chance.random() < 0.3)
            self.pushed.remove(earlier)
            if results[1]["status"] == "applied":
                self.pushed.append(second)

    async def dispute(self) -> None:
        if earlier := self.any_of(self.pushed):
            late = {**following(earlier), "base_revision": earlier["base_revision"] + 7, "on_conflict": "keep"}
            await self.owner.results(late, late)

    async def resolve(self) -> None:
        listed = (await self.ask(self.owner, "GET", "/sync/conflicts")).json()["conflicts"]
        for conflict in listed:
            path = f"/sync/conflicts/{conflict['id']}/resolve"
            assert (await self.ask(self.owner, "POST", path, {"chosen_version": "remote"})).status_code == 200

    async def delete_a_decided_one_for_good(self) -> None:
        if earlier := self.any_of(self.pushed):
            await self.owner.results({**following(earlier), "base_revision": 7, "on_conflict": "keep"})
            await self.resolve()
            await self.owner.results(following(earlier, deleted=True))
            path = f"/entries/{earlier['record_id']}?permanent=true"
            await self.ask(self.owner, "DELETE", path)
            self.pushed.remove(earlier)

    async def back_up(self) -> None:
        times = {
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": f"2026-01-01T00:00:{self.chance.randint(0, 59):02}Z",
        }
        body = {"encrypted_content": "AAAA" * self.chance.randint(1, 300), "content_iv": "iv", **times}
        device = self.chance.choice(("phone", "tablet"))
        await self.ask(
            self.owner, "POST", "/sync/backup", {"id": self.chance.choice("abc"), "device_id": device, **body}
        )

    async def delete_backups(self) -> None:
        path = self.chance.choice(("/sync/backup/a", "/sync/backup/content"))
        await self.ask(self.owner, "DELETE", path)

    async def keep_in_the_vault(self) -> None:
        name = self.chance.choice("xyz")
        blob = {"vault_id": name, "ciphertext": "AAAA" * self.chance.randint(1, 300), "iv": "iv", "salt": "salt"}
        version = self.vaults.get(name, 0) + 1
        method, path = ("POST", "/vault") if version == 1 else ("PUT", f"/vault/{name}")
        if (await self.ask(self.owner, method, path, {**blob, "version": version})).status_code in DONE:
            self.vaults[name] = version

    async def delete_from_the_vault(self) -> None:
        name = self.chance.choice("xyz")
        await self.ask(self.owner, "DELETE", f"/vault/{name}")
        self.vaults.pop(name, None)

    # ---- files ----

    async def declare(self) -> None:
        body = declaration(bytes(self.chance.randint(1, 9000)), id=self.any_of(self.files) or str(uuid4()))
        answer = await self.ask(self.owner, "POST", "/media/upload", body)
        self.files += [answer.json()["id"]] if answer.status_code == 201 else []

    async def declare_in_parts(self) -> None:
        self.files.append((await declare(self.owner, in_parts(two_parts())))["id"])

    async def attach(self) -> None:
        self.files.append(await attach(self.owner, self.chance.randbytes(self.chance.randint(1, 500))))

    async def delete_a_file(self) -> None:
        if media_id := self.any_of(self.files):
            await self.ask(self.owner, "DELETE", f"/media/{media_id}?for_good={self.chance.choice(('true', 'false'))}")

    # ---- opened by the server: entries with words ----

    async def write(self) -> None:
        words = " ".join(self.chance.choices(("rain", "river", "heron", "dyke", "snow"), k=self.chance.randint(1, 9)))
        self.entries.append((await self.ask(self.uce, "POST", "/entries", {"content": words})).json()["id"])

    async def rewrite(self) -> None:
        entry_id = self.any_of(self.entries)
        told = (await self.ask(self.uce, "GET", f"/entries/{entry_id}")).json() if entry_id else {}
        if told.get("content"):
            body = {"content": "snow on the dyke " * self.chance.randint(1, 5), "revision": told["revision"] + 1}
            assert (await self.ask(self.uce, "PUT", f"/entries/{entry_id}", body)).status_code == 200

    async def delete_an_entry(self) -> None:
        if entry_id := self.any_of(self.entries):
            permanent = self.chance.choice(("true", "false"))
            await self.ask(self.uce, "DELETE", f"/entries/{entry_id}?permanent={permanent}")
            await self.ask(self.uce, "POST", f"/entries/{entry_id}/restore")

    async def switch_the_index(self) -> None:
        await self.ask(self.uce, "PUT", "/search/index", {"enabled": self.chance.random() < 0.5})
        await self.ask(self.uce, "POST", "/search/index", {"restart": self.chance.random() < 0.5})

    # ---- metrics ----

    async def measure(self) -> None:
        value = self.metrics.value(float(self.chance.randint(1, 9)), "2026-03-01T10:00:00Z")
        await self.metrics.sent(value)
        self.values.append(value["id"])

    async def forget_a_value(self) -> None:
        if metric_id := self.any_of(self.values):
            await self.ask(self.metrics.owner, "DELETE", f"/encryption/metrics/{metric_id}")
            self.values.remove(metric_id)

    async def forget_all_values(self) -> None:
        await self.ask(self.metrics.owner, "DELETE", "/sync/metrics/all")
        self.values.clear()

    # ---- the inbox ----

    async def receive(self) -> None:
        async with self.parts[Database].transaction() as tx:
            await inbox.add(
                tx,
                self.parts[Clock],
                self.parts[LimitSettings],
                self.parts[ServerKeys],
                UUID(self.uce.answer["id"]),
                "web",
                self.chance.choice("abc"),
                {"body": "noon " * self.chance.randint(1, 200)},
            )

    async def acknowledge(self) -> None:
        items = (await self.ask(self.uce, "GET", "/inbox")).json()["items"]
        if item := self.any_of(items):
            assert (await self.ask(self.uce, "DELETE", f"/inbox/{item['id']}")).status_code in DONE

    # ---- upkeep, and going down a tier ----

    async def purge(self) -> None:
        for job in (purge, purge_media, forget_unfinished):
            await self.parts.call(job)

    async def lower_the_tier(self) -> None:
        for owner in (self.owner, self.uce):
            for tier in ("local_only", "full_sync"):
                body = {
                    "privacy_tier": tier,
                    "consent_timestamp": "2026-01-01T00:00:00Z",
                    "current_password": owner.password,
                }
                assert (await self.ask(owner, "PUT", "/users/me/privacy", body)).status_code == 200
        self.pushed.clear()
        self.entries.clear()
        self.files.clear()
        self.vaults.clear()

    def everything(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What can be done, and how often it is, by being named more than once."""
        often = (self.push, self.edit_twice_at_once, self.dispute, self.resolve, self.back_up, self.keep_in_the_vault)
        now_and_then = (
            self.delete_a_decided_one_for_good,
            self.delete_backups,
            self.delete_from_the_vault,
            self.declare,
            self.declare_in_parts,
            self.attach,
            self.delete_a_file,
            self.write,
            self.rewrite,
            self.delete_an_entry,
            self.switch_the_index,
            self.measure,
            self.forget_a_value,
            self.receive,
            self.acknowledge,
            self.purge,
        )
        named = {f"{each.__name__} {number}": each for each in often for number in range(3)}
        named |= {f"{each.__name__} {number}": each for each in now_and_then for number in range(2)}
        return named | {each.__name__: each for each in (self.lower_the_tier, self.forget_all_values)}


@pytest.fixture
def settings_of_no_patience(settings: Settings) -> Settings:
    """What was deleted is purged, and what is unfinished forgotten, at the next opportunity."""
    return settings.model_copy(
        update={"jobs": JobSettings(purge_after_days=0), "media": MediaSettings(unfinished_hours=0.0001)}
    )


@pytest.fixture
async def running(settings_of_no_patience: Settings) -> AsyncIterator[tuple[Parts, httpx.AsyncClient]]:
    app = create_app(settings_of_no_patience)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://lockleaf.test/api/v1") as http:
            yield app.state.parts, http


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_kept_is_what_is_there_after_whatever_was_done(
    running: tuple[Parts, httpx.AsyncClient], seed: int
) -> None:
    parts, http = running
    chance = random.Random(seed)
    holder = Holder(chance, parts, await register(http), await thin(http), await measurer(http))
    mine = {UUID(owner.answer["id"]) for owner in (holder.owner, holder.uce, holder.metrics.owner)}
    everything = holder.everything()
    done: list[str] = []
    names = [*everything, *chance.choices(sorted(everything), k=45)]
    chance.shuffle(names)
    for name in names:
        done.append(name)
        await everything[name]()
        assert [each for each in await differing(parts) if each.user_id in mine] == [], done


async def test_what_differs_is_named_and_put_right(running: tuple[Parts, httpx.AsyncClient], database_url: str) -> None:
    parts, http = running
    owner = await register(http)
    await owner.results(change(), change())
    user_id = UUID(owner.answer["id"])
    connection = await asyncpg.connect(asyncpg_url(database_url))
    try:
        kept = await usage.kept(connection, user_id)
        assert kept > 600
        await connection.execute("UPDATE heads SET record_bytes = 7, media_bytes = 9 WHERE user_id = $1", user_id)
        found = [each for each in await differing(parts) if each.user_id == user_id]
        assert {(each.column, each.kept, each.counted) for each in found} == {
            ("record_bytes", 7, kept),
            ("media_bytes", 9, 0),
        }
        assert set(KINDS) == set(usage.usages(parts[Holdings]))
        put_right = await recount(connection)
        assert {each for each in put_right if each.user_id == user_id} == set(found)
        assert await usage.kept(connection, user_id) == kept
        assert await differing(parts) == []
    finally:
        await connection.close()
