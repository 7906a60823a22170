"""`python -m scripts.containers`: print each broken rule, and exit with status 1 if there is one."""

import sys
from pathlib import Path

from scripts.containers import isolation, variables
from scripts.containers.project import Project

_RULES = (
    *(isolation.containers_are_hardened, isolation.a_drain_ends_before_the_kill),
    *(isolation.only_the_gateway_is_reachable, isolation.nothing_internal_is_exposed),
    *(variables.variables_are_settings, variables.values_are_accepted, variables.secrets_are_files),
)


def problems(root: Path) -> list[str]:
    """The rules that docker-compose.yml in `root` breaks."""
    project = Project.read(root)
    return [problem for rule in _RULES for problem in rule(project)]


if __name__ == "__main__":
    found = problems(Path.cwd())
    print("\n".join(found))
    sys.exit(bool(found))
