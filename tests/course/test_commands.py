"""Every command of the course does what its page shows, on a system that was started for that page alone."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.course import console, pages
from tests.course.rehearsal import learner, rehearse, run_steps
from tests.support.dev_runner import ROOT

_PAGES = [page for page in pages.followed(ROOT) if run_steps(list(console.blocks(page.text)))]


def _checkout() -> str:
    """What git would tell of this checkout; where it is none, nothing."""
    return subprocess.run(
        ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.course
@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.path.stem)
def test_the_commands_write_what_the_page_shows(
    page: pages.Page, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    before = _checkout()
    with learner(tmp_path) as somebody:
        made, differences = rehearse(page.text, somebody.follow)
    assert _checkout() == before, "the page's commands change the checkout"
    if os.environ.get("COURSE") == "write":
        (ROOT / page.path).write_text(made)
    record_property("course", f"{page.path}: {run_steps(list(console.blocks(page.text)))} commands run and compared")
    assert not differences, "\n".join(differences)
