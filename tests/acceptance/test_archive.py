"""Taking everything out of a server: the command, the worker that does it, and what can be made of the file alone."""

from __future__ import annotations

import base64
import hashlib
import json
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lockleaf.crypto import history
from lockleaf.crypto.envelope import RecordContext, open_record
from lockleaf.crypto.kdf import KdfParameters, unlock
from lockleaf.crypto.keyring import PASSWORD_LABEL, open_keyring
from tests.support.archives import read_archive
from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer, running_server

BODY = "What the server never reads: a heliotrope in the hall."


@contextmanager
def worker(home: Path, environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The command `lockleaf worker` beside a server; give what it says once it takes jobs."""
    with CommandLine(home).start("worker", "--json", environment=environment) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log.decode()
    assert BODY.encode() not in log


def registered(server: RunningServer, home: Path) -> tuple[CommandLine, str]:
    device, email = CommandLine(home, "laptop"), fresh_email()
    device.run("register", "--server", server.url, "--email", email, "--device-name", "laptop")
    device.run("write", "--title", "A secret", "-", stdin=BODY.encode())
    device.run("sync")
    return device, email


def opened(data: bytes, email: str) -> list[dict[str, Any]]:
    """What the file and the password alone give: each entry of the archive, opened."""
    archive = read_archive(data)
    account, keys = archive.manifest["account"], archive.manifest["keys"]
    assert account["email"] == email
    wrap_key = unlock(PASSWORD, email, KdfParameters.from_wire(keys["kdf"]), remembered=None).wrap_key
    keyring = open_keyring(
        base64.b64decode(keys["keyring"]),
        wrap_key,
        label=PASSWORD_LABEL,
        user_id=account["id"],
        version=keys["keyring_version"],
    )
    entries = []
    for record in archive.files["records.jsonl"]:
        if record["collection"] != "entries":
            continue
        labels = [base64.b64decode(label) for label in record["labels"]]
        context = RecordContext(
            user_id=account["id"],
            collection=record["collection"],
            record_id=record["record_id"],
            revision=record["revision"],
            parent=base64.b64decode(record["parent"]),
            deleted=record["deleted"],
            meta=history.meta(labels, record.get("source"), record.get("occurred_at")),
        )
        entries.append(open_record(keyring, context, base64.b64decode(record["payload"])))
    return entries


def test_an_archive_and_the_password_are_all_that_is_needed_to_read_the_journal(
    server: RunningServer, server_environment: dict[str, str], tmp_path: Path
) -> None:
    device, email = registered(server, tmp_path)
    file = tmp_path / "mine.zip"
    with worker(tmp_path, server_environment) as taking:
        assert taking["concurrency"] == 4
        saved = device.run("archive", str(file), "--json").value()
    data = file.read_bytes()
    told = {"file": str(file), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert saved == {**told, "files": 0, "missing": []}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry["body"] for entry in opened(data, email)] == [BODY]


def test_a_server_with_a_database_of_its_own_makes_archives_by_itself(tmp_path: Path) -> None:
    environment = {"LOCKLEAF_DATA_DIR": str(tmp_path / "data"), "LOCKLEAF_LOG_FORMAT": "json"}
    with running_server(environment, log=tmp_path / "log", workers=2) as server:
        device, email = registered(server, tmp_path / "home")
        file = tmp_path / "mine.zip"
        device.run("archive", str(file))
        assert [entry["body"] for entry in opened(file.read_bytes(), email)] == [BODY]
        assert server.stop() == 0
    ends = [line for line in (tmp_path / "log").read_text().splitlines() if '"lockleaf.jobs"' in line]
    assert [json.loads(line).get("outcome") for line in ends if "attempt ended" in line] == ["succeeded"]


def test_a_file_that_is_there_is_left_alone_unless_it_shall_be_replaced(
    server: RunningServer, server_environment: dict[str, str], tmp_path: Path
) -> None:
    device, _ = registered(server, tmp_path)
    file = tmp_path / "mine.zip"
    file.write_text("what was there")
    refused = device.run("archive", str(file), "--json", code=5)
    assert "--force" in refused.error()["message"]
    assert file.read_text() == "what was there"
    with worker(tmp_path, server_environment):
        device.run("archive", str(file), "--force")
    assert file.read_bytes().startswith(b"PK")
    assert device.run("archive", str(tmp_path / "nowhere" / "mine.zip"), code=8).err


def test_a_worker_needs_a_database_that_others_reach_too(tmp_path: Path) -> None:
    refused = CommandLine(tmp_path).run("worker", "--json", code=2)
    assert "lockleaf serve" in refused.error()["message"]
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    assert "does not answer" in CommandLine(tmp_path).run("worker", "--json", environment=away, code=8).err
