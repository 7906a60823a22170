"""`python -m scripts.k8s`: apply every rule to every overlay, and print one line for each violation."""

import sys
from pathlib import Path

from scripts.k8s import network, schemas, workloads
from scripts.k8s.kustomization import BadKustomization, build

RULES = (
    *(schemas.resources_match_schemas, workloads.deployments_are_complete, workloads.pods_are_restricted),
    *(workloads.probes_are_correct, workloads.pods_can_drain, workloads.environments_are_valid),
    *(workloads.secrets_match_the_settings, workloads.services_select_pods, workloads.pods_stop_one_at_a_time),
    *(network.traffic_is_denied_by_default, network.connections_are_expected),
)


def problems(root: Path) -> list[str]:
    """Return the violations in the overlays of the project in `root`."""
    overlays = sorted(path.parent for path in (root / "deploy/k8s/overlays").glob("*/kustomization.yaml"))
    return [f"{overlay.name}: {problem}" for overlay in overlays for problem in _problems(root, overlay)]


def _problems(root: Path, overlay: Path) -> list[str]:
    try:
        resources = build(overlay)
    except BadKustomization as error:
        return [str(error)]
    return [problem for rule in RULES for problem in rule(root, resources)]


if __name__ == "__main__":
    found = problems(Path.cwd())
    print("\n".join(found))
    sys.exit(bool(found))
