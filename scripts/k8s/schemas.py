"""The rule that each resource is what Kubernetes' own schemas ask for, in the oldest version and the newest."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import kubernetes_validate

from scripts.k8s.kustomization import Resource

OLDEST = "1.27"
"""The first in which all that is used here is stable: gRPC probes are the youngest of it."""


def resources_fit_kubernetes(_: Path, resources: Sequence[Resource]) -> Iterator[str]:
    """Strictly: a field that no schema knows, which a cluster would drop, is refused."""
    for resource in resources:
        name = f"{resource['kind']} {resource['metadata']['name']}"
        yield from (f"{name}: {problem}" for problem in _problems(json.dumps(resource)))


@cache  # reading the schemas takes most of the time, and the overlays share most of what they are made of
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
