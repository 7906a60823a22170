"""The workflows run what there is, and what checks them does find what it is there for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT

_BIN = ROOT / ".venv/bin"
_WORKFLOWS = ROOT / ".github/workflows"
_MAKES = re.compile(r"(?:run: |^)make ([a-z-]+)", re.MULTILINE)


def _checks(name: str) -> list[str]:
    """What scripts/check runs under this name, with the programs of this checkout."""
    text = (ROOT / "scripts/check").read_text()
    command = text.split(f'check "workflows: {name}" ')[1].split("\n")[0]
    return command.replace('"', "").replace("$bin", str(_BIN)).split()


def test_the_workflow_runs_what_ci_runs_and_nothing_that_is_not_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    run = set(_MAKES.findall((_WORKFLOWS / "ci.yml").read_text()))
    assert run <= targets
    assert run >= set(_MAKES.findall((ROOT / ".ci/run").read_text()))


def test_one_action_is_pinned_to_one_commit() -> None:
    used = {line.split("uses: ")[1] for path in _WORKFLOWS.glob("*.yml") for line in _lines(path, "uses: ")}
    assert len(used) == len({re.sub("/(init|analyze)@", "@", each).split("@")[0] for each in used}) + 1


def _lines(path: Path, having: str) -> list[str]:
    return [line.strip() for line in path.read_text().splitlines() if having in line]


@pytest.mark.parametrize(
    ("check", "old", "new", "told"),
    [
        ("actionlint", "run: make check", "run: make check ${{ github.unknown }}", "unknown"),
        ("actionlint", "timeout-minutes: 20", "timeout-minuets: 20", "timeout-minuets"),
        ("actionlint", "run: make check", "run: cd $HOME/some where", "shellcheck"),
        (
            "zizmor",
            "actions/checkout@8e8c483db84b4bee98b60c0593521ed34d9990e8 # v6.0.1",
            "actions/checkout@v6",
            "unpinned",
        ),
        ("zizmor", "persist-credentials: false", "fetch-depth: 1", "artipacked"),
        ("zizmor", "permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("zizmor", "run: make check", 'run: echo "${{ github.head_ref }}"', "template-injection"),
    ],
)
def test_each_mistake_is_found(tmp_path: Path, check: str, old: str, new: str, told: str) -> None:
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert _run(check, tmp_path).returncode == 0
    workflow = tmp_path / ".github/workflows/ci.yml"
    text = workflow.read_text()
    assert old in text
    workflow.write_text(text.replace(old, new, 1))
    ran = _run(check, tmp_path)
    assert ran.returncode != 0
    assert told in ran.stdout + ran.stderr


def _run(check: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_checks(check), cwd=folder, capture_output=True, text=True)
