"""Builds a kustomization as kustomize does, as far as this project uses it; what it does not know it refuses.

A test compares the result with that of kustomize itself, where that is installed. Names stay without the hash that
kustomize puts behind those of generated ConfigMaps.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]
_KNOWN = {"apiVersion", "kind", "namespace", "resources", "labels", "images", "replicas", "configMapGenerator"}
_OF_NO_NAMESPACE = {"Namespace"}


class Unknown(Exception):
    """A kustomization says what is not known here, or speaks of what is not there; the message says what."""


def build(folder: Path) -> list[Resource]:
    """All resources of the kustomization in `folder`. Raises Unknown."""
    said: Mapping[str, Any] = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if others := set(said) - _KNOWN:
        msg = f"{folder.name}/kustomization.yaml: {', '.join(sorted(others))} is not known to scripts/k8s"
        raise Unknown(msg)
    resources = [resource for path in said.get("resources", []) for resource in _read(folder / path)]
    for generator in said.get("configMapGenerator", []):
        _generate(resources, generator)
    for replicas in said.get("replicas", []):
        _one(resources, "Deployment", replicas["name"])["spec"]["replicas"] = replicas["count"]
    for image in said.get("images", []):
        _rename(resources, image)
    for resource in resources:
        metadata = resource["metadata"]
        if "namespace" in said and resource["kind"] not in _OF_NO_NAMESPACE:
            metadata["namespace"] = said["namespace"]
        for labels in said.get("labels", []):
            metadata.setdefault("labels", {}).update(labels["pairs"])
            if labels.get("includeTemplates") and "template" in resource.get("spec", {}):
                resource["spec"]["template"]["metadata"]["labels"].update(labels["pairs"])
    return resources


def _read(path: Path) -> list[Resource]:
    if path.is_dir():
        return build(path)
    if not path.is_file():
        msg = f"{path.parent.name}/kustomization.yaml: there is no {path.name}"
        raise Unknown(msg)
    return [copy.deepcopy(resource) for resource in yaml.safe_load_all(path.read_text())]  # no two share what & named


def _generate(resources: list[Resource], generator: Mapping[str, Any]) -> None:
    data = dict(literal.split("=", 1) for literal in generator["literals"])
    if generator.get("behavior") == "merge":
        _one(resources, "ConfigMap", generator["name"])["data"].update(data)
    else:
        named = {"name": generator["name"]}
        resources.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": data})


def _rename(resources: list[Resource], image: Mapping[str, Any]) -> None:
    found = [
        container
        for resource in resources
        if resource["kind"] == "Deployment"
        for container in resource["spec"]["template"]["spec"]["containers"]
        if container["image"].split(":")[0] == image["name"]
    ]
    if not found:
        msg = f"images: nothing runs {image['name']}"
        raise Unknown(msg)
    for container in found:
        _, _, tag = container["image"].partition(":")
        container["image"] = f"{image.get('newName', image['name'])}:{image.get('newTag', tag)}"


def _one(resources: list[Resource], kind: str, name: str) -> Resource:
    for resource in resources:
        if resource["kind"] == kind and resource["metadata"]["name"] == name:
            return resource
    msg = f"there is no {kind} {name}"
    raise Unknown(msg)
