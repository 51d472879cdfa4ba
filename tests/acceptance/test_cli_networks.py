"""Networks from the command line, each command a process: connected, read, published to, left, and sealed anew."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import SECONDS, CommandLine, fresh_email
from tests.support.connected import JPEG, PNG
from tests.support.graph_api import GraphApi
from tests.support.mastodon_instance import MastodonInstance
from tests.support.photos import photo
from tests.support.process import running_server
from tests.support.reached_networks import reached_networks


@dataclass
class Connecting:
    """A server that reaches both networks, and a device of somebody there."""

    environment: dict[str, str]
    email: str
    device: CommandLine
    instance: MastodonInstance
    graph: GraphApi


@contextmanager
def connecting(environment: dict[str, str], folder: Path) -> Iterator[Connecting]:
    """Somebody who is logged in on one device, at a server that runs with ``environment``."""
    with reached_networks(environment, folder / "server") as reached:
        device = CommandLine(folder / "home")
        email = fresh_email()
        device.run("register", "--server", reached.server.url, "--email", email, "--json")
        yield Connecting(reached.environment, email, device, reached.instance, reached.graph)


@pytest.fixture
def grace(tmp_path: Path, server_environment: dict[str, str]) -> Iterator[Connecting]:
    """Somebody on the database that the tests share."""
    with connecting(server_environment, tmp_path) as grace:
        yield grace


@pytest.fixture
def grace_alone(tmp_path: Path, server_environment: dict[str, str], own_database_url: str) -> Iterator[Connecting]:
    """Somebody on a database with nobody else."""
    with connecting(server_environment | {"DATABASE_URL": own_database_url}, tmp_path) as grace:
        yield grace


def connect(device: CommandLine, network: Any, *words: str) -> str:
    """Connect, as its user in a browser, who pastes the address that the network sent them to; what was printed."""
    with device.start("connect", *words) as process:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        code = network.allow(address)
        state = re.search(r"[?&]state=([^&]+)", address)
        assert state is not None
        pasted = f"https://somewhere.example/?code={code}&state={state[1]}\n"
        told, err = process.communicate(pasted.encode(), timeout=SECONDS)
    assert process.returncode == 0, err.decode()
    return told.decode()


def entry_with_files(device: CommandLine, folder: Path, *files: tuple[str, bytes]) -> str:
    """An entry at the server with files attached to it; its id."""
    entry_id = str(device.run("write", "--json", "--title", "At sea", stdin=b"Said to the world.").value()["id"])
    for name, data in files:
        (folder / name).write_bytes(data)
        device.run("attach", entry_id, str(folder / name))
    device.run("sync")
    return entry_id


def test_an_instance_is_connected_read_published_to_and_left(grace: Connecting, tmp_path: Path) -> None:
    device, instance = grace.device, grace.instance
    assert "No network is connected" in device.run("connections").err
    assert "Connected: @ada@" in connect(device, instance, "mastodon", instance.url)
    (listed,) = device.run("connections", "--json").values()
    assert (listed["provider"], listed["state"]) == ("mastodon", "connected")
    assert "mastodon" in device.run("connections").out
    instance.write("The sea at noon. #sea", media=[instance.picture(PNG, "image/png")])
    instance.write("not for the journal")
    assert device.run("connections", "pull", "mastodon", "--json").value()["added"] == 2
    items = {item["body"]: item["id"] for item in device.run("inbox", "--json").values()}
    assert "The sea at noon." in device.run("inbox", "show", items["The sea at noon. #sea"]).out
    device.run("inbox", "accept", items["The sea at noon. #sea"])
    device.run("inbox", "refuse", items["not for the journal"])
    device.run("sync")
    assert device.run("inbox", "--json").values() == []
    (entry,) = device.run("list", "--json").values()
    assert (entry["body"], entry["tags"], len(entry["attachments"])) == ("The sea at noon. #sea", ["sea"], 1)

    sea = photo("PNG")
    entry_id = entry_with_files(device, tmp_path, ("sea.png", sea), ("notes.txt", b"not to be seen"))
    asked = device.run("publish", entry_id, "--to", "mastodon", stdin=b"n\n", code=None)
    assert (asked.code != 0, [status.text for status in instance.statuses][2:]) == (True, [])
    assert "Said to the world." in asked.err
    words = ("publish", entry_id, "--to", "mastodon", "--visibility", "unlisted", "--attachments")
    done = device.run(*words, stdin=b"y\n")
    assert "sea.png" in done.err
    assert "notes.txt" in done.err
    (status,) = instance.statuses[2:]
    assert (status.text, status.visibility) == ("At sea\n\nSaid to the world.", "unlisted")
    (published,) = [instance.pictures[each][1] for each in status.media]
    assert published.startswith(PNG[:8])
    assert (b"Canary" in sea, b"Canary" in published) == (True, False)
    again = device.run(*words, "--yes", "--json").value()
    assert (again["status"], len(instance.statuses)) == ("published", 3)
    assert "published" in device.run("history", entry_id).out

    device.run("connections", "remove", listed["id"])
    assert device.run("connections", "--json").values() == []
    assert instance.tokens == {}


def test_facebook_takes_an_entry_to_a_page_with_the_pictures_that_its_user_named(
    grace: Connecting, tmp_path: Path
) -> None:
    device, graph = grace.device, grace.graph
    told = connect(device, graph, "facebook")
    assert "Page 20001: Ada's workshop" in told
    graph.write("Posted there.", photos=[graph.photo(JPEG)])
    device.run("connections", "pull", "facebook")
    (item,) = device.run("inbox", "--json").values()
    assert item["body"] == "Posted there."
    entry_id = entry_with_files(device, tmp_path, ("attached.png", PNG))
    (tmp_path / "damaged.jpg").write_bytes(JPEG)
    named = photo("JPEG")
    (tmp_path / "named.jpg").write_bytes(named)
    words = ("publish", entry_id, "--to", "facebook", "--page", "20001", "--yes", "--picture")
    assert "it was not published" in device.run(*words, str(tmp_path / "damaged.jpg"), code=None).err
    refused = device.run("publish", entry_id, "--to", "facebook", "--yes", code=None)
    assert (refused.code != 0, graph.fed) == (True, {"20001": [], "20002": []})
    device.run(*words, str(tmp_path / "named.jpg"), "--with-metadata")
    (post,) = graph.fed["20001"]
    assert post.message == "At sea\n\nSaid to the world."
    assert [graph.photos[each][1] for each in post.photos] == [named]
    for name in ("named.gif", "text.txt"):
        words = ("publish", entry_id, "--to", "facebook", "--picture", str(tmp_path / name), "--yes")
        assert device.run(*words, code=None).code != 0
    (connection,) = device.run("connections", "--json").values()
    device.run("connections", "remove", connection["id"][:8])
    assert device.run("connections", "--json").values() == []


def test_the_root_secret_is_replaced_and_the_connection_goes_on(grace_alone: Connecting, tmp_path: Path) -> None:
    grace = grace_alone
    connect(grace.device, grace.instance, "mastodon", grace.instance.url)
    old, new = grace.environment["LOCKLEAF_SECRETS__ROOTS"], secrets.token_urlsafe(48)
    admin = CommandLine(tmp_path / "admin", environment=grace.environment)
    admin.environment |= {"LOCKLEAF_SECRETS__ROOTS": f"{new},{old}"}
    sealed = admin.run("admin", "rotate-secret", "--json").value()
    assert (sealed["connections"], sealed["applications"], sealed["lost"]) == (1, 1, 0)
    assert "Sealed anew" in admin.run("admin", "rotate-secret").out
    # The old root is taken away; its sessions end with it, and the connection does not.
    (tmp_path / "next").mkdir()
    environment = grace.environment | {"LOCKLEAF_SECRETS__ROOTS": new, "LOCKLEAF_DATA_DIR": str(tmp_path / "next")}
    with running_server(environment, log=tmp_path / "next/log") as server:
        another = CommandLine(tmp_path / "another")
        another.run("login", "--server", server.url, "--email", grace.email)
        grace.instance.write("Written since.")
        assert another.run("connections", "pull", "mastodon", "--json").value()["added"] == 1
