"""The files for contributors refer only to commands, files and versions that exist."""

import re
import subprocess
import tomllib

import pytest
import yaml

from tests import ROOT

_PAGES = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ".github/pull_request_template.md")
_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", _PAGES)
def test_every_command_and_file_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    assert set(re.findall(r"(?:`|\$ )make ([a-z-]+)", text)) <= _TARGETS
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / page).parent.joinpath(link).exists(), link


def test_the_newest_version_in_the_changelog_is_that_of_the_project() -> None:
    """Before the first release, the changelog has no version."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[:1] in ([], [version])


def test_every_hook_runs_a_command_of_the_project() -> None:
    (source,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert source["repo"] == "local"
    for hook in source["hooks"]:
        program, command, *_ = hook["entry"].split()
        assert command in _TARGETS if program == "make" else (ROOT / program).exists(), hook["entry"]


def test_make_on_windows_refers_to_wsl() -> None:
    ran = subprocess.run(["make", "OS=Windows_NT", "dev"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode != 0
    assert "Use WSL 2" in ran.stderr
