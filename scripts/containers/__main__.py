"""`python -m scripts.containers`: every rule on the files of this folder, a line for each that is broken."""

import sys
from pathlib import Path

from scripts.containers import declared, gateway, guarded, images, queue_users, variables
from scripts.containers.project import Project

RULES = (
    *(declared.everything_named_is_declared, declared.everything_declared_is_used, declared.files_are_there),
    *(guarded.every_service_is_guarded, guarded.nothing_is_published_but_on_loopback, guarded.who_meets_whom),
    *(images.images_are_pinned, images.targets_exist_and_are_complete, images.sources_get_into_the_build),
    *(images.versions_agree, images.the_page_is_built_by_one_node),
    *(variables.variables_are_settings, variables.values_are_accepted, variables.secrets_come_as_files),
    *(queue_users.services_may_do_what_they_call, queue_users.no_right_is_idle),
    *(gateway.kong_is_closed, gateway.kong_starts_again, gateway.protos_stay_inside),
    *(gateway.ports_are_listened_on, gateway.the_page_may_write),
    *(gateway.steps_come_before_kong, gateway.steps_have_what_they_read, gateway.versions_are_the_same),
)


def problems(root: Path) -> list[str]:
    """What is wrong with the files in `root`."""
    project = Project.read(root)
    return [problem for rule in RULES for problem in rule(project)]


if __name__ == "__main__":
    found = problems(Path.cwd())
    print("\n".join(found))
    sys.exit(bool(found))
