"""The server's index on the command line: switched on by somebody who was told what it reveals, used, switched off."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from lockleaf.cli.main import main
from lockleaf.client import Client, FileKeychain
from lockleaf.crypto.kdf import CHEAPEST
from tests.support.command_line import PASSWORD, fresh_email
from tests.support.process import RunningServer


async def prepare(home: Path, server: str) -> str:
    keychain = FileKeychain(home / "profiles" / "laptop" / "keychain.json")
    async with await Client.open(home, "laptop", keychain=keychain, allow_test_parameters=True) as client:
        await client.account.register(server, fresh_email(), PASSWORD, device_name="laptop", kdf_profile=CHEAPEST)
        entry = await client.journal.write(body="Walked to the river.")
        await client.sync()
    return entry.id


def test_the_server_searches_only_where_that_is_wanted_and_understood(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry_id = asyncio.run(prepare(tmp_path, server.url))
    monkeypatch.setenv("LOCKLEAF_HOME", str(tmp_path))
    monkeypatch.setenv("LOCKLEAF_PROFILE", "laptop")
    capsys.readouterr()

    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        assert main(arguments) == code, capsys.readouterr().err
        seen = capsys.readouterr()
        return seen.out, seen.err

    _, off = run("search", "--remote", "river", "--json", code=5)
    assert json.loads(off)["error"]["code"] == "search_off"
    assert "search-index on" in off
    _, unasked = run("search-index", "on", code=2)
    assert "which entries share a word" in unasked
    assert "--yes" in unasked
    said, told = run("search-index", "on", "--yes")
    assert "1 entry in it" in said
    assert "guess common words" in told
    found, _ = run("search", "--remote", "walks", "--json")
    assert json.loads(found)["id"] == entry_id
    assert json.loads(found)["highlights"] == [{"field": "body", "text": "Walked to the river.", "marks": [[0, 6]]}]
    said, told = run("search-index")
    assert "english" in said
    assert "guess common words" in told
    assert json.loads(run("search-index", "rebuild", "--json")[0])["documents"] == 1
    assert json.loads(run("search-index", "off", "--json")[0])["enabled"] is False
    assert run("search-index", "status")[0].split() == ["index", "off"]
