"""What people do every day: look, write, search, attach, sync, keep a blob, back up, sort their tags."""

from __future__ import annotations

import random
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from uuid import uuid4

from benchmarks.diary import TEXT
from benchmarks.people import User, b64
from benchmarks.throughput import new_payload
from lockleaf.crypto.history import ZERO, payload_hash

__all__ = ["EVERYDAY"]

FILE_BYTES = 100_000
WORDS = 40


async def look(user: User) -> None:
    """Look at the account."""
    for route in (
        "/auth/me",
        "/auth/features",
        "/auth/sessions",
        "/auth/recovery-codes",
        "/users/me",
        "/users/me/stats?days=30",
        "/users/me/preferences",
        "/users/me/privacy",
        "/users/me/access",
        "/inbox",
        "/jobs",
    ):
        await user.ask("GET", route)
        await user.rest()
    await user.ask("PUT", "/users/me/preferences", {"daily_word_goal": random.randint(100, 900)})


async def diary(user: User) -> None:
    """Write, read, change, delete and restore an entry."""
    entry_id = str(uuid4())
    now = datetime.now(UTC).isoformat()
    if user.custody == "uce":
        made = {"id": entry_id, "content": TEXT, "title": "A day", "mood": "calm", "tags": ["river"]}
        await user.ask("POST", "/entries", made)
        await user.rest()
        await user.ask("PUT", "/entries/{entry_id}", {**made, "revision": 2, "mood": "glad"}, entry_id=entry_id)
        await user.rest()
        await user.ask("DELETE", "/entries/{entry_id}", entry_id=entry_id)
        await user.rest()
        await user.ask("POST", "/entries/{entry_id}/restore", entry_id=entry_id)
    else:
        payload, parent = new_payload(), ZERO
        for revision, (method, route) in enumerate(
            (
                ("POST", "/entries"),
                ("PUT", "/entries/{entry_id}"),
                ("DELETE", "/entries/{entry_id}"),
                ("POST", "/entries/{entry_id}/restore"),
            )
        ):
            body = {
                "id": entry_id,
                "payload": b64(payload),
                "base_revision": revision,
                "parent": b64(parent),
                "occurred_at": now,
                "tokens": [] if method == "DELETE" else random.sample(user.words, WORDS),
            }
            await user.ask(method, route, body, entry_id=entry_id)
            await user.rest()
            payload, parent = new_payload(), payload_hash(payload)
    for route in ("/entries/{entry_id}", "/entries/{entry_id}/history", "/entries/{entry_id}/revisions/{number}"):
        await user.ask("GET", route, entry_id=entry_id, number=1)
        await user.rest()
    await user.ask("GET", "/entries?limit=50")


async def vault(user: User) -> None:
    """Keep a blob, and look at its versions."""
    name = uuid4().hex
    blob = {
        "vault_id": name,
        "ciphertext": b64(secrets.token_bytes(1000)),
        "iv": "iv",
        "salt": "salt",
        "version": 1,
    }
    await user.ask("POST", "/vault", blob)
    await user.rest()
    await user.ask("PUT", "/vault/{vault_id}", {**blob, "iv": "other", "version": 2}, vault_id=name)
    for route in ("/vault", "/vault/{vault_id}", "/vault/{vault_id}/versions", "/vault/{vault_id}/versions/{number}"):
        await user.rest()
        await user.ask("GET", route, vault_id=name, number=1)
    await user.ask("DELETE", "/vault/{vault_id}", vault_id=name)


async def sync(user: User) -> None:
    """Push ten entries, and ask what is new."""
    changes = [
        {
            "collection": "entries",
            "record_id": str(uuid4()),
            "base_revision": 0,
            "parent": b64(ZERO),
            "payload": b64(new_payload()),
            "device_id": "benchmark",
            "client_updated_at": datetime.now(UTC).isoformat(),
        }
        for _ in range(10)
    ]
    pushed = await user.ask("POST", "/sync/push", {"changes": changes})
    await user.rest()
    await user.ask("GET", "/sync/changes?limit=50")
    await user.rest()
    await user.ask("GET", f"/sync/changes?after={pushed['cursor']}")
    await user.rest()
    await user.ask("GET", "/sync/conflicts")
    await user.rest()
    await user.ask("GET", "/sync/checkpoints")


async def backup(user: User) -> None:
    """Store a backup as older clients do, and list them."""
    now = datetime.now(UTC).isoformat()
    name = str(uuid4())
    content = {"id": name, "encrypted_content": b64(secrets.token_bytes(1000)), "content_iv": "iv"}
    await user.ask("POST", "/sync/backup", {**content, "created_at": now, "updated_at": now, "device_id": "old"})
    await user.rest()
    await user.ask("GET", "/sync/backups?limit=50")
    await user.rest()
    await user.ask("DELETE", "/sync/backup/{log_id}", log_id=name)


async def tags(user: User) -> None:
    """Make a tag, colour it, and remove it."""
    tag = await user.ask("POST", "/tags", {"name": f"tag {random.randint(0, 30)}"})
    await user.rest()
    await user.ask("GET", "/tags")
    await user.rest()
    await user.ask("PUT", "/tags/{tag_id}", {"name": tag["name"], "color": "#336699"}, tag_id=tag["id"])
    await user.rest()
    await user.ask("DELETE", "/tags/{tag_id}", tag_id=tag["id"])
    await user.ask("DELETE", "/tags/cleanup?days=3650")


async def search(user: User) -> None:
    """Look for a word or two, and at how the index stands."""
    if user.custody == "uce":
        queries = ("bells", "river morning", '"along the river" -rain', "walked mood:glad", "clear from:2020")
        await user.ask("POST", "/search", {"query": random.choice(queries), "limit": 20})
    else:
        one, two, other = random.sample(user.words, 3)
        wanted = {"all": [{"any": [one, two]}, {"none": [other]}]}
        await user.ask("POST", "/search", {"tokens": wanted, "limit": 20})
    await user.rest()
    await user.ask("GET", "/search/stats")


async def attach(user: User) -> None:
    """Send a file, look at it, fetch it, and delete it; half of them are restored, the others gone for good."""
    data = secrets.token_bytes(random.randint(FILE_BYTES // 10, FILE_BYTES))
    described = {"size": len(data), "sha256": sha256(data).hexdigest()}
    declaration = {"media_type": "image/jpeg", **described}
    in_parts = random.random() < 0.3
    made = await user.ask("POST", "/media/upload", {**declaration, "parts": [described]} if in_parts else declaration)
    media_id = made["id"]
    if in_parts:
        made = await user.ask("POST", "/media/{media_id}/parts", {"numbers": [1]}, media_id=media_id)
    await user.follow(made["parts"][0] if in_parts else made["upload"], data)
    await user.ask("POST", "/media/{media_id}/complete", media_id=media_id)
    await user.rest()
    await user.ask("GET", "/media?limit=50")
    await user.ask("GET", "/media/{media_id}", media_id=media_id)
    await user.follow(await user.ask("GET", "/media/{media_id}/download", media_id=media_id))
    await user.rest()
    await user.ask("DELETE", "/media/{media_id}", media_id=media_id)
    await user.rest()
    if random.random() < 0.5:
        await user.ask("POST", "/media/{media_id}/restore", media_id=media_id)
    else:
        await user.ask("DELETE", "/media/{media_id}?for_good=true", media_id=media_id)


EVERYDAY: tuple[Callable[[User], Awaitable[None]], ...] = (
    look,
    diary,
    diary,
    search,
    search,
    attach,
    vault,
    sync,
    backup,
    tags,
)
"""What people choose from, the diary and search twice as often as the rest."""
