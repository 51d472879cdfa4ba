"""Kustomizations built: by kubectl or kustomize where one is here, everywhere by as much of it as ours need."""

from __future__ import annotations

import base64
import copy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Manifest", "build", "build_with_tool", "pods_of", "sorted_manifests", "tool"]

Manifest = dict[str, Any]

KNOWN = {
    *("apiVersion", "kind", "namespace", "labels", "images", "resources", "components", "patches", "secretGenerator"),
}
MERGED_BY = {"containers": "name", "volumes": "name", "volumeMounts": "mountPath", "env": "name"}
"""By which field Kubernetes tells the elements of a list apart; other lists are replaced whole."""


def tool() -> list[str] | None:
    """Return the command that builds kustomizations on this machine, if there is one."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


def build_with_tool(command: list[str], folder: Path) -> list[Manifest]:
    """Build a kustomization by whom it is meant for."""
    built = subprocess.run([*command, str(folder)], check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return [each for each in yaml.safe_load_all(built.stdout) if each]


def build(folder: Path) -> list[Manifest]:
    """Build a kustomization ourselves.

    Raises:
        ValueError: it asks for what is not known here, or names what there is not.
    """
    found: list[Manifest] = []
    _build_onto(folder, found)
    return found


def _build_onto(folder: Path, found: list[Manifest]) -> None:
    told = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := told.keys() - KNOWN:
        raise ValueError(f"{folder}: not known here: {unknown}")
    own: list[Manifest] = found if told.get("kind") == "Component" else []
    for name in told.get("resources", ()):
        path = folder / name
        own += build(path) if path.is_dir() else [each for each in yaml.safe_load_all(path.read_text()) if each]
    own += [_secret(folder, generator) for generator in told.get("secretGenerator", ())]
    for name in told.get("components", ()):
        _build_onto(folder / name, own)
    for patch in told.get("patches", ()):
        _patch(own, yaml.safe_load((folder / patch["path"]).read_text()))
    for each in own:
        _transform(each, told)
    if own is not found:
        found += own


def _secret(folder: Path, generator: dict[str, Any]) -> Manifest:
    if generator.get("options") != {"disableNameSuffixHash": True}:
        raise ValueError(f"{folder}: a secret whose name is not its own")
    lines = [line for name in generator["envs"] for line in (folder / name).read_text().splitlines() if line]
    pairs = dict(line.split("=", 1) for line in lines)
    data = {key: base64.b64encode(value.encode()).decode() for key, value in pairs.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": generator["name"]},
        "type": "Opaque",
        "data": data,
    }


def _patch(manifests: list[Manifest], patch: Manifest) -> None:
    targets = [
        each
        for each in manifests
        if (each["kind"], each["metadata"]["name"]) == (patch["kind"], patch["metadata"]["name"])
    ]
    if len(targets) != 1:
        raise ValueError(f"a patch has {len(targets)} targets: {patch['kind']} {patch['metadata']['name']}")
    merged = _merged(targets[0], patch)
    targets[0].clear()
    targets[0].update(merged)


def _merged(before: Any, patch: Any, field: str = "") -> Any:
    if isinstance(before, dict) and isinstance(patch, dict):
        result = {**before}
        for key, value in patch.items():
            if value is None:
                result.pop(key, None)
            else:
                result[key] = _merged(before[key], value, key) if key in before else value
        return result
    if isinstance(before, list) and isinstance(patch, list) and (key := MERGED_BY.get(field)):
        kept = [_merged(each, next((new for new in patch if new[key] == each[key]), {})) for each in before]
        known = {each[key] for each in before}
        return [new for new in patch if new[key] not in known] + kept
    return patch


def _transform(manifest: Manifest, told: Manifest) -> None:
    metadata = manifest["metadata"]
    if "namespace" in told and manifest["kind"] != "Namespace":
        metadata["namespace"] = told["namespace"]
    pods = pods_of(manifest)
    for label in told.get("labels", ()):
        labelled = [metadata, *([pods["metadata"]] if pods and label.get("includeTemplates") else [])]
        for each in labelled:
            each["labels"] = {**each.get("labels", {}), **label["pairs"]}
    for image in told.get("images", ()):
        for container in pods["spec"]["containers"] if pods else ():
            if container["image"] == image["name"]:
                container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"


def pods_of(manifest: Manifest) -> Manifest | None:
    """Return the template of the pods that a manifest makes, if it makes some."""
    spec = manifest.get("spec", {})
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if manifest["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
        template: Manifest = spec["template"]
        return template
    return None


def sorted_manifests(manifests: list[Manifest]) -> list[Manifest]:
    """Return them in an order that does not depend on who built them."""
    return sorted(copy.deepcopy(manifests), key=lambda each: (each["kind"], each["metadata"]["name"]))
