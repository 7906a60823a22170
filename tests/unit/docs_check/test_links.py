"""Broken references of pages are reported."""

from pathlib import Path

import pytest

from scripts.docs_check import links
from scripts.docs_check.pages import Page

_TEXT = "# One page\n\n## `make up` and more\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/other.md").write_text(_TEXT)
    (tmp_path / "Makefile").write_text("up: ## Starts it\n")
    return tmp_path


def _problems(root: Path, text: str) -> list[str]:
    page = Page(Path("docs/page.md"), text)
    return list(links.problems(root, [page, Page(Path("docs/other.md"), _TEXT)]))


@pytest.mark.parametrize(
    "text",
    [
        '[a](other.md) [b](other.md#make-up-and-more) [c](https://example.org/x) <img src="other.md">',
        "`docs/other.md` and `make up`, `.data/tasks.db`, `docs/*.md`",
        "```text\n[a](nothing.md)\n```\n",
        "# Here\n[a](#here)",
    ],
)
def test_correct_references_are_accepted(root: Path, text: str) -> None:
    assert _problems(root, text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a](nothing.md)", "the link nothing.md leads to a missing file"),
        ("![a](nothing.png)", "the link nothing.png leads to a missing file"),
        ("[a](other.md#nothing)", "the link other.md#nothing leads to a missing heading"),
        ("[a](#nothing)", "the link #nothing leads to a missing heading"),
        ("`docs/nothing.md`", "there is no file docs/nothing.md"),
        ("`make nothing`", "there is no command make nothing"),
        ("```console\n$ make nothing\n```\n", "there is no command make nothing"),
    ],
)
def test_broken_references_are_reported(root: Path, text: str, problem: str) -> None:
    assert _problems(root, text) == [f"docs/page.md: {problem}"]
