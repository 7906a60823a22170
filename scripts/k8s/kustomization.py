"""Build a kustomization like kustomize, with the few fields that this project uses. Other fields are an error.

If kubectl is installed, a test compares the result with that of kustomize. One difference: the names of generated
ConfigMaps have no hash suffix.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]
_KNOWN = {"apiVersion", "kind", "namespace", "resources", "labels", "images", "replicas", "configMapGenerator"}


class BadKustomization(Exception):
    """A kustomization has an unsupported field or a missing reference; the message names it."""


def build(folder: Path) -> list[Resource]:
    """Return all resources of the kustomization in `folder`. Raise BadKustomization."""
    fields: Mapping[str, Any] = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if others := set(fields) - _KNOWN:
        msg = f"{folder.name}/kustomization.yaml: {', '.join(sorted(others))} is not supported by scripts/k8s"
        raise BadKustomization(msg)
    resources = [resource for path in fields.get("resources", []) for resource in _read(folder / path)]
    for generator in fields.get("configMapGenerator", []):
        _generate(resources, generator)
    for replicas in fields.get("replicas", []):
        _one(resources, "Deployment", replicas["name"])["spec"]["replicas"] = replicas["count"]
    for image in fields.get("images", []):
        _rename(resources, image)
    for resource in resources:
        metadata = resource["metadata"]
        if "namespace" in fields and resource["kind"] != "Namespace":
            metadata["namespace"] = fields["namespace"]
        for labels in fields.get("labels", []):
            metadata.setdefault("labels", {}).update(labels["pairs"])
            if labels.get("includeTemplates") and "template" in resource.get("spec", {}):
                resource["spec"]["template"]["metadata"]["labels"].update(labels["pairs"])
    return resources


def _read(path: Path) -> list[Resource]:
    if path.is_dir():
        return build(path)
    if not path.is_file():
        msg = f"{path.parent.name}/kustomization.yaml: {path.name} does not exist"
        raise BadKustomization(msg)
    return list(yaml.safe_load_all(path.read_text()))


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
        msg = f"images: no Deployment uses {image['name']}"
        raise BadKustomization(msg)
    for container in found:
        _, _, tag = container["image"].partition(":")
        container["image"] = f"{image.get('newName', image['name'])}:{image.get('newTag', tag)}"


def _one(resources: list[Resource], kind: str, name: str) -> Resource:
    for resource in resources:
        if resource["kind"] == kind and resource["metadata"]["name"] == name:
            return resource
    msg = f"there is no {kind} {name}"
    raise BadKustomization(msg)
