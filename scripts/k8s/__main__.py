"""`python -m scripts.k8s`: every rule on every overlay, a line for each that is broken."""

import sys
from pathlib import Path

from scripts.k8s import network, schemas, workloads
from scripts.k8s.kustomization import Unknown, build

RULES = (
    *(schemas.resources_fit_kubernetes, workloads.every_service_is_there, workloads.pods_are_closed),
    *(workloads.pods_are_asked_how_they_are, workloads.pods_stop_in_time, workloads.environments_are_accepted),
    *(workloads.secrets_are_those_that_are_read, workloads.services_lead_to_pods, workloads.one_pod_leaves_at_a_time),
    *(network.nobody_talks_unless_allowed, network.who_talks_to_whom),
)


def problems(root: Path) -> list[str]:
    """What is wrong with the overlays of the project in `root`."""
    overlays = sorted(path.parent for path in (root / "deploy/k8s/overlays").glob("*/kustomization.yaml"))
    return [f"{overlay.name}: {problem}" for overlay in overlays for problem in _problems(root, overlay)]


def _problems(root: Path, overlay: Path) -> list[str]:
    try:
        resources = build(overlay)
    except Unknown as error:
        return [str(error)]
    return [problem for rule in RULES for problem in rule(root, resources)]


if __name__ == "__main__":
    found = problems(Path.cwd())
    print("\n".join(found))
    sys.exit(bool(found))
