"""The workflow on GitHub runs the same commands as `.ci/run`."""

import re

from tests import ROOT

_MAKES = re.compile(r"(?:run: |^)make ([a-z-]+)", re.MULTILINE)


def test_the_workflow_runs_every_target_of_ci_and_only_existing_ones() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    run = set(_MAKES.findall((ROOT / ".github/workflows/ci.yml").read_text()))
    assert set(_MAKES.findall((ROOT / ".ci/run").read_text())) <= run <= targets
