"""The server's keys: one for each purpose, made once, and never made up where that would lose something."""

from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from lockleaf.server.platform.server_keys import Purpose, SecretsDamaged, SecretsMissing, ServerKeys, load_keys
from lockleaf.server.platform.settings import DatabaseSettings, SecretSettings, Settings

ROOT, OLDER, PRELOGIN = (
    "r7Qm2xVb9KpL4wZs8TnC1yGd6HfJ3eUa",
    "k3Wd8sYf5RtN2vBq7MjX4zLc9PgH6aEo",
    "p9Lk4jHg7FdS2aQw5ErT8yUi1OzXc3Vb",
)
SIGNING = [purpose for purpose in Purpose if purpose is not Purpose.PRELOGIN]


def with_secrets(folder: Path, *roots: str, prelogin: str | None = PRELOGIN, url: str | None = None) -> Settings:
    return Settings(
        data_dir=folder,
        secrets=SecretSettings(roots=roots, prelogin=prelogin),  # type: ignore[arg-type]
        database=DatabaseSettings(url=url),  # type: ignore[arg-type]
        database_url=None,
    )


def fingerprint(keys: ServerKeys) -> list[bytes]:
    return [keys.prelogin, *(keys.signing(purpose) for purpose in SIGNING)]


def test_every_purpose_and_every_root_has_keys_of_its_own() -> None:
    keys = ServerKeys([b"a" * 40, b"b" * 40], b"a" * 40)
    found = [keys.prelogin, *(key for purpose in SIGNING for key in keys.accepted(purpose))]
    assert len(set(found)) == len(found) == 1 + 2 * len(SIGNING)
    assert {len(key) for key in found} == {64}


def test_the_newest_root_makes_and_all_verify() -> None:
    both, newer, older = (
        ServerKeys([b"n" * 40, b"o" * 40], b"p" * 40),
        ServerKeys([b"n" * 40], b""),
        ServerKeys([b"o" * 40], b""),
    )
    assert both.signing("access") == newer.signing("access")
    assert both.accepted("access") == (newer.signing("access"), older.signing("access"))


def test_an_unknown_purpose_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="invoice"):
        ServerKeys([b"n" * 40], b"").signing("invoice")


def test_rotating_the_roots_leaves_what_unknown_emails_are_shown(tmp_path: Path) -> None:
    before = load_keys(with_secrets(tmp_path, OLDER))
    after = load_keys(with_secrets(tmp_path, ROOT, OLDER))
    assert before.prelogin == after.prelogin
    assert before.signing("access") in after.accepted("access")
    assert before.signing("access") != after.signing("access")


def test_an_embedded_server_makes_its_secrets_once_and_privately(tmp_path: Path) -> None:
    settings = with_secrets(tmp_path / "data", prelogin=None)
    first = load_keys(settings)
    kept = tmp_path / "data" / "secrets.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert fingerprint(load_keys(settings)) == fingerprint(first)
    assert [path.name for path in kept.parent.iterdir()] == ["secrets.json"]


def test_two_servers_make_different_secrets(tmp_path: Path) -> None:
    one = load_keys(with_secrets(tmp_path / "one", prelogin=None))
    other = load_keys(with_secrets(tmp_path / "other", prelogin=None))
    assert not set(fingerprint(one)) & set(fingerprint(other))


def _load(folder: Path, start: object, results: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    results.put(fingerprint(load_keys(with_secrets(folder, prelogin=None))))  # type: ignore[attr-defined]


def test_processes_that_start_together_agree_on_the_secrets(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_load, args=(tmp_path / "data", start, results)) for _ in range(3)]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("roots", "prelogin", "url"),
    [
        ((), None, "postgresql://db.example.org/lockleaf"),
        ((ROOT,), None, None),
        ((), PRELOGIN, None),
        ((ROOT,), None, "postgresql://db.example.org/lockleaf"),
    ],
)
def test_secrets_are_not_made_up_where_some_are_set_or_others_would_differ(
    tmp_path: Path, roots: tuple[str, ...], prelogin: str | None, url: str | None
) -> None:
    with pytest.raises(SecretsMissing, match="LOCKLEAF_SECRETS__ROOTS and LOCKLEAF_SECRETS__PRELOGIN"):
        load_keys(with_secrets(tmp_path, *roots, prelogin=prelogin, url=url))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"roots": [], "prelogin": ""}', '{"roots": ["short"], "prelogin": "x"}']
)
def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    kept = tmp_path / "secrets.json"
    kept.write_text(content)
    with pytest.raises(SecretsDamaged, match=r"secrets\.json"):
        load_keys(with_secrets(tmp_path, prelogin=None))
    assert kept.read_text() == content


def test_secrets_cut_short_are_refused(tmp_path: Path) -> None:
    load_keys(with_secrets(tmp_path, prelogin=None))
    kept = tmp_path / "secrets.json"
    document = json.loads(kept.read_text())
    document["prelogin"] = document["prelogin"][:32]
    kept.write_text(json.dumps(document))
    with pytest.raises(SecretsDamaged):
        load_keys(with_secrets(tmp_path, prelogin=None))
