"""Run every command of README.md and docs/ in order, and compare its output with the page."""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from scripts.docs_check import console, pages
from tests import ROOT
from tests.course.docs_runner import DocsRunner, docs_runner, rehearse, run_steps

_PAGES = [page for page in pages.followed(ROOT) if run_steps(list(console.blocks(page.text)))]


def _checkout() -> str:
    """Return the output of `git status`; empty if this is not a git checkout."""
    return subprocess.run(
        ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocsRunner]:
    with docs_runner(tmp_path_factory.mktemp("course")) as found:
        yield found


@pytest.mark.course
@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.path.stem)
def test_the_commands_write_what_the_page_shows(
    page: pages.Page, runner: DocsRunner, record_property: Callable[[str, object], None]
) -> None:
    before = _checkout()
    runner.begin()
    made, differences = rehearse(page.text, runner.follow)
    assert _checkout() == before, "the page's commands change the checkout"
    if os.environ.get("COURSE") == "write":
        (ROOT / page.path).write_text(made)
    record_property("course", f"{page.path}: {run_steps(list(console.blocks(page.text)))} commands run and compared")
    assert not differences, "\n".join(differences)
