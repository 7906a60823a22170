"""The rule that each resource is valid against Kubernetes' schemas, in the oldest and the newest supported version."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import kubernetes_validate

from scripts.k8s.kustomization import Resource

OLDEST = "1.27"
"""The first version in which all features used here are stable; the newest of them is the gRPC probe."""


def resources_match_schemas(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Unknown fields, which a cluster would drop, are violations."""
    for resource in resources:
        name = f"{resource['kind']} {resource['metadata']['name']}"
        yield from (f"{name}: {problem}" for problem in _problems(json.dumps(resource)))


@cache  # validation is slow, and overlays share most resources
def _problems(resource: str) -> list[str]:
    found = []
    for version in (OLDEST, kubernetes_validate.latest_version()):
        try:
            kubernetes_validate.validate(json.loads(resource), version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{'.'.join(map(str, error.absolute_path))}: {error.message} (Kubernetes {version})")
        except kubernetes_validate.SchemaNotFoundError as error:
            found.append(error.message)
    return found
