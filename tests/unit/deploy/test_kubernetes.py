"""The manifests for Kubernetes: they are valid, they fit each other, and a pod may do no more than it must."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from kubernetes_validate import utils
from pydantic import ValidationError

import lockleaf
from lockleaf.cli.app import build as build_commands
from lockleaf.server.main.app import create_app
from lockleaf.server.main.background import connections
from tests.support.deployments import DEPLOY, known_settings, settings_from
from tests.support.kustomizations import Manifest, build, build_with_tool, pods_of, sorted_manifests, tool

VERSIONS = ("1.30", kubernetes_validate.latest_version())
OF_OTHERS = {"ServiceMonitor"}
"""Kinds that an operator's cluster brings: no schema of them is here."""


@pytest.fixture(scope="module", autouse=True)
def _schemas_are_read_once() -> Iterator[None]:
    """Keep the schemas, megabytes of JSON, of which the library would read all again for each manifest."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the manifests, with the secrets that the overlay's script makes."""
    copied = tmp_path_factory.mktemp("kubernetes")
    shutil.copytree(DEPLOY / "kubernetes", copied, dirs_exist_ok=True, ignore=shutil.ignore_patterns("secrets.env"))
    subprocess.run(["sh", copied / "overlays/thor/generate-secrets.sh"], check=True, capture_output=True)
    watched = copied / "overlays" / "watched"
    watched.mkdir()
    components = ["../../components/monitoring", "../../components/backup"]
    told = {"namespace": "lockleaf", "resources": ["../../base"], "components": components}
    (watched / "kustomization.yaml").write_text(yaml.safe_dump(told))
    return copied


@pytest.fixture(scope="module")
def builds(folder: Path) -> dict[str, list[Manifest]]:
    """What each is built to. A test has a copy, which it may alter."""
    return {name: build(folder / name) for name in ("base", "overlays/thor", "overlays/watched")}


@pytest.fixture(params=["base", "overlays/thor", "overlays/watched"])
def built(builds: dict[str, list[Manifest]], request: pytest.FixtureRequest) -> list[Manifest]:
    return deepcopy(builds[request.param])


@pytest.fixture
def base(builds: dict[str, list[Manifest]]) -> list[Manifest]:
    return deepcopy(builds["base"])


@pytest.fixture
def thor(builds: dict[str, list[Manifest]]) -> list[Manifest]:
    return deepcopy(builds["overlays/thor"])


@pytest.fixture(scope="module")
def documented() -> set[str]:
    """The paths of the API's document."""
    settings = settings_from({"DATABASE_URL": "postgresql://nobody@/nowhere", "SECRET_KEY": os.urandom(24).hex()})
    return set(create_app(settings).openapi()["paths"])


def _of(manifests: list[Manifest], kind: str, name: str | None = None) -> list[Manifest]:
    return [each for each in manifests if each["kind"] == kind and name in (None, each["metadata"]["name"])]


def _one(manifests: list[Manifest], kind: str, name: str | None = None) -> Manifest:
    [found] = _of(manifests, kind, name)
    return found


def _pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for each in manifests:
        if pods := pods_of(each):
            yield each["metadata"]["name"], pods


def _containers(manifests: list[Manifest]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, pods in _pods(manifests):
        for container in pods["spec"]["containers"]:
            yield f"{name}/{container['name']}", container


@pytest.mark.parametrize("name", ["base", "overlays/thor", "overlays/watched"])
def test_they_are_built_by_kustomize_as_they_are_here(folder: Path, name: str) -> None:
    command = tool()
    if command is None:
        pytest.skip("neither kubectl nor kustomize is here: the manifests were built by our own few lines alone")
    theirs = build_with_tool(command, folder / name)
    for secret in _of(theirs, "Secret"):  # it breaks long lines
        secret["data"] = {key: "".join(value.split()) for key, value in secret["data"].items()}
    assert sorted_manifests(theirs) == sorted_manifests(build(folder / name))


@pytest.mark.parametrize("version", VERSIONS)
def test_each_is_valid(built: list[Manifest], version: str) -> None:
    for manifest in built:
        if manifest["kind"] not in OF_OTHERS:
            kubernetes_validate.validate(manifest, version, strict=True)
    assert len({(each["kind"], each["metadata"]["name"]) for each in built}) == len(built)


def test_what_is_wrong_is_found(base: list[Manifest]) -> None:
    server = _one(base, "Deployment", "lockleaf-server")
    server["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(server, VERSIONS[-1], strict=True)


def test_every_file_is_part_of_something(folder: Path) -> None:
    named = {folder / "base/secret.example.yaml"}
    for kustomization in folder.rglob("kustomization.yaml"):
        told = yaml.safe_load(kustomization.read_text())
        files = [*told.get("resources", ()), *(patch["path"] for patch in told.get("patches", ()))]
        named |= {kustomization, *(kustomization.parent / name for name in files)}
    assert [path for path in folder.rglob("*.yaml") if path not in named] == []


def test_pods_keep_the_strictest_rules(built: list[Manifest]) -> None:
    assert _one(built, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pods in _pods(built):
        spec = pods["spec"]
        assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False), name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
    for name, container in _containers(built):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
        assert "memory" in container["resources"]["limits"], name
        image, _, tag = container["image"].rpartition(":")
        assert tag not in ("", "latest"), name
        assert image != "lockleaf" or tag == lockleaf.__version__, name


def test_what_one_names_in_another_is_there(built: list[Manifest]) -> None:
    maps = {each["metadata"]["name"]: each["data"].keys() for each in _of(built, "ConfigMap")}
    secrets = {each["metadata"]["name"] for each in _of(built, "Secret")} | {"lockleaf-secrets"}
    claims = {each["metadata"]["name"] for each in _of(built, "PersistentVolumeClaim")}
    for name, pods in _pods(built):
        volumes = {volume["name"] for volume in pods["spec"].get("volumes", ())}
        for volume in pods["spec"].get("volumes", ()):
            assert "emptyDir" in volume or volume["persistentVolumeClaim"]["claimName"] in claims, name
        workload = next(each for each in built if pods_of(each) is pods)
        volumes |= {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", ())}
        for container in pods["spec"]["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes, name
            for source in container.get("envFrom", ()):
                assert source.get("configMapRef", {}).get("name") in {None, *maps}, name
                assert source.get("secretRef", {}).get("name") in {None, *secrets}, name
        if account := pods["spec"].get("serviceAccountName"):
            assert _one(built, "ServiceAccount", account)["automountServiceAccountToken"] is False
    for kind, count in (("Service", 1), ("PodDisruptionBudget", 2), ("ServiceMonitor", 0)):
        selected = _of(built, kind)
        assert len(selected) >= count
        for each in selected:
            assert _selected(built, each, "Service" if kind == "ServiceMonitor" else "pods"), each["metadata"]


def _selected(built: list[Manifest], selecting: Manifest, what: str) -> list[str]:
    selector = selecting["spec"]["selector"]
    wanted = selector.get("matchLabels", selector).items()
    if what == "pods":
        return [name for name, pods in _pods(built) if wanted <= pods["metadata"]["labels"].items()]
    return [each["metadata"]["name"] for each in _of(built, what) if wanted <= each["metadata"]["labels"].items()]


def test_services_and_budgets_select_what_they_are_for(thor: list[Manifest]) -> None:
    assert _selected(thor, _one(thor, "Service", "lockleaf"), "pods") == ["lockleaf-server"]
    assert _selected(thor, _one(thor, "Service", "lockleaf-postgres"), "pods") == ["lockleaf-postgres"]
    assert _selected(thor, _one(thor, "PodDisruptionBudget", "lockleaf-server"), "pods") == ["lockleaf-server"]
    assert _selected(thor, _one(thor, "PodDisruptionBudget", "lockleaf-worker"), "pods") == ["lockleaf-worker"]
    for name, pods in _pods(thor):
        workload = next(each for each in thor if pods_of(each) is pods)
        if workload["kind"] not in ("Job", "CronJob"):
            assert _selected(thor, workload, "pods") == [name]


def test_the_autoscaler_has_3_to_10_servers_by_their_cpu_and_memory(base: list[Manifest], thor: list[Manifest]) -> None:
    spec = _one(base, "HorizontalPodAutoscaler")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 10)
    assert [metric["resource"]["name"] for metric in spec["metrics"]] == ["cpu", "memory"]
    scaled = _one(base, "Deployment", spec["scaleTargetRef"]["name"])
    assert "replicas" not in scaled["spec"]  # an apply would undo what the autoscaler did
    assert _one(base, "Deployment", "lockleaf-worker")["spec"]["replicas"] == 2
    at_home = _one(thor, "HorizontalPodAutoscaler")["spec"]
    assert (at_home["minReplicas"], at_home["maxReplicas"], at_home["metrics"]) == (1, 3, spec["metrics"])


def test_a_backup_is_made_each_night_and_never_two_at_a_time(thor: list[Manifest]) -> None:
    backup = _one(thor, "CronJob", "lockleaf-backup")["spec"]
    assert (backup["schedule"], backup["concurrencyPolicy"]) == ("15 3 * * *", "Forbid")
    [container] = backup["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    place = container["args"][-1]
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    # What it reads is the store of this overlay, and where it writes outlives the pod.
    assert {place, "/var/lib/lockleaf-files"} <= mounted
    assert _one(thor, "PersistentVolumeClaim", "lockleaf-backups")["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_what_is_started_are_commands_and_what_probes_ask_are_routes(
    base: list[Manifest], thor: list[Manifest]
) -> None:
    commands: Any = typer.main.get_command(build_commands())
    seen = set()
    ours = [each for each in thor if each["kind"] == "CronJob"]
    for name, container in _containers([*base, *ours]):
        command, words = commands, list(container["args"])
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, name
        seen.add(command.name)
    assert seen == {"serve", "worker", "migrate", "backup"}
    server = _one(base, "Deployment", "lockleaf-server")["spec"]["template"]["spec"]["containers"][0]
    probes = {kind: server[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert probes == {"startup": "/health", "liveness": "/health", "readiness": "/ready"}
    assert [port["name"] for port in server["ports"]] == ["http"]


def test_the_ingress_leads_to_the_whole_api_and_to_nothing_that_is_the_operators(
    built: list[Manifest], documented: set[str]
) -> None:
    spec = _one(built, "Ingress")["spec"]
    [rule], [tls] = spec["rules"], spec["tls"]
    assert [rule["host"]] == tls["hosts"]
    assert "cert-manager.io/cluster-issuer" in _one(built, "Ingress")["metadata"]["annotations"]
    paths = {each["path"]: each["pathType"] for each in rule["http"]["paths"]}
    assert paths == {"/api": "Prefix", "/docs": "Exact"}
    assert {path for path in documented if not path.startswith("/api/")} == {"/health", "/ready", "/metrics"}


def test_settings_and_secrets_make_a_server(thor: list[Manifest], base: list[Manifest], folder: Path) -> None:
    told = _one(thor, "ConfigMap")["data"]
    secret = {key: base64.b64decode(value).decode() for key, value in _one(thor, "Secret")["data"].items()}
    password = secret.pop("POSTGRES_PASSWORD")
    assert {*told, *secret} <= known_settings()
    settings = settings_from({**told, **secret})
    assert settings.database.url is not None
    assert password in settings.database.url.get_secret_value()
    assert (settings.blobs.kind, str(settings.blobs.path)) == ("file", "/var/lib/lockleaf-files/blobs")
    example = yaml.safe_load((folder / "base/secret.example.yaml").read_text())
    kubernetes_validate.validate(example, VERSIONS[-1], strict=True)
    assert _of(base, "Secret") == []
    told = _one(base, "ConfigMap")["data"]
    assert {*told, *example["stringData"]} <= known_settings()
    with pytest.raises(ValidationError, match="placeholder"):
        settings_from({**told, **example["stringData"]})
    settings = settings_from({**told, **example["stringData"], "SECRET_KEY": os.urandom(24).hex()})
    assert settings.blobs.kind == "s3"


@pytest.mark.parametrize(("name", "offered"), [("base", 243), ("overlays/thor", 150)])
def test_the_database_has_connections_for_as_many_as_there_can_be(folder: Path, name: str, offered: int) -> None:
    manifests = build(folder / name)
    told = _one(manifests, "ConfigMap")["data"]
    settings = settings_from({**told, "DATABASE_URL": "postgresql://x@/x", "SECRET_KEY": os.urandom(24).hex()})
    pool = settings.database
    # One more than the autoscaler's, while a new version rolls out.
    servers = _one(manifests, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] + 1
    workers = _one(manifests, "Deployment", "lockleaf-worker")["spec"]["replicas"]
    needed = servers * (2 * pool.pool_size + 1) + workers * connections(settings) + 20
    assert needed <= offered
    where = folder / ("base/settings.yaml" if name == "base" else "overlays/thor/postgres.yaml")
    assert str(offered) in where.read_text()


def test_nobody_speaks_to_anybody_but_as_is_told(built: list[Manifest]) -> None:
    policies = _of(built, "NetworkPolicy")
    [nothing] = [each for each in policies if each["spec"]["podSelector"] == {}]
    assert nothing["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & nothing["spec"].keys()
    for each in policies:
        for rule in each["spec"].get("ingress", ()):
            assert rule["ports"], each["metadata"]["name"]
            assert "from" in rule or each["metadata"]["name"] == "lockleaf-certificates"
