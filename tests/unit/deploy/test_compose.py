"""The compose files say what they mean: nothing is open, unpinned, misspelt or known to everybody."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import lockleaf
from lockleaf.server.main.background import connections
from tests.support.deployments import DEPLOY, compose, generated_secrets, known_settings, settings_from
from tests.support.dockerfile import parse

FILES = ("compose.yaml", "compose.embedded.yaml")
# Of the Compose specification, what is used here: a misspelt key would pass unseen where an engine is lenient.
KEYS = {
    *("build", "cap_drop", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "mem_limit"),
    *("networks", "ports", "read_only", "restart", "security_opt", "shm_size", "stop_grace_period", "tmpfs", "volumes"),
}


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    return generated_secrets(tmp_path)


@pytest.fixture(params=FILES)
def composed(request: pytest.FixtureRequest, secrets: dict[str, str]) -> dict[str, Any]:
    return compose(request.param, secrets)


def test_what_is_named_exists_and_every_key_is_one(composed: dict[str, Any]) -> None:
    parts = composed["services"]
    for name, service in parts.items():
        assert service.keys() <= KEYS, name
        assert set(service.get("depends_on", {})) <= parts.keys(), name
        assert set(service.get("networks", ())) <= composed.get("networks", {}).keys(), name
        used = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert used <= composed.get("volumes", {}).keys(), name
        if build := service.get("build"):
            assert (DEPLOY / build["context"] / build["dockerfile"]).samefile(DEPLOY / "Dockerfile")


def test_every_image_is_of_one_release_and_ours_is_of_this_one(composed: dict[str, Any]) -> None:
    for name, service in composed["services"].items():
        image, _, tag = service["image"].partition(":")
        assert tag not in ("", "latest"), name
        assert image != "lockleaf" or tag == lockleaf.__version__, name


def test_ports_are_for_this_machine_and_a_container_may_do_no_more_than_it_must(composed: dict[str, Any]) -> None:
    ours = 0
    for name, service in composed["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if service["image"].startswith("lockleaf:"):
            ours += 1
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
            assert "/tmp" in service["tmpfs"], name
    assert ours


def test_the_settings_are_known_and_make_a_server(secrets: dict[str, str], tmp_path: Path) -> None:
    composed = compose("compose.yaml", secrets)
    environments = [
        service["environment"] for service in composed["services"].values() if service["image"].startswith("lockleaf:")
    ]
    assert len(environments) == 3
    assert all(environment == environments[0] for environment in environments)
    assert environments[0].keys() <= known_settings()
    settings = settings_from(environments[0])
    assert settings.blobs.kind == "s3"
    assert settings.database.url is not None
    assert secrets["POSTGRES_PASSWORD"] in settings.database.url.get_secret_value()


def test_the_example_asks_for_what_is_asked_for_and_is_refused_as_it_stands(secrets: dict[str, str]) -> None:
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert example.keys() == secrets.keys()
    environment = compose("compose.yaml", example)["services"]["server"]["environment"]
    with pytest.raises(ValidationError, match="placeholder"):
        settings_from(environment)
    for name in secrets:
        with pytest.raises(LookupError, match=name):
            compose("compose.yaml", {**secrets, name: ""})


def test_secrets_are_made_once_are_each_their_own_and_for_nobody_elses_eyes(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, other = generated_secrets(tmp_path), generated_secrets(tmp_path / "other")
    assert len({*one.values(), *other.values()}) == 2 * len(one)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    before = (tmp_path / ".env").read_bytes()
    again = subprocess.run(
        ["sh", DEPLOY / "generate-secrets.sh", tmp_path / ".env"], check=False, capture_output=True, text=True
    )
    assert again.returncode == 1
    assert "is kept" in again.stderr
    assert (tmp_path / ".env").read_bytes() == before


def test_the_database_has_connections_for_everybody(secrets: dict[str, str]) -> None:
    parts = compose("compose.yaml", secrets)["services"]
    settings = settings_from(parts["server"]["environment"])
    workers = int(parts["server"]["command"][-1])
    pool = settings.database
    needed = workers * (2 * pool.pool_size + 1) + 20 + connections(settings)
    [offered] = [word.split("=")[1] for word in parts["postgres"]["command"] if "max_connections" in word]
    assert int(offered) >= needed


def test_the_data_lie_where_the_image_keeps_them(secrets: dict[str, str]) -> None:
    place = parse((DEPLOY / "Dockerfile").read_text())[-1].last("VOLUME").text
    [volume] = compose("compose.embedded.yaml", secrets)["services"]["lockleaf"]["volumes"]
    assert volume == f"data:{place}"
    assert f"{place}:uid=10001,gid=10001,mode=0700" in compose("compose.yaml", secrets)["services"]["server"]["tmpfs"]
