"""Follow each page of docs/how-to that changes the project, in a copy: its changes apply, and its commands succeed."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.docs_check import pages
from scripts.docs_check.console import Block
from tests import ROOT
from tests.course.docs_runner import rehearse
from tests.support.checkout import copy_checkout, modules_of

_PAGES = [page for page in pages.how_to(ROOT) if page not in pages.followed(ROOT)]
_COMMAND_SECONDS = 300


_FAILS = "<!-- fails -->\n```console\n"


class Copy:
    """A copy of the checkout that a page changes. A change is a list of hunks, separated by lines with `@@`."""

    def __init__(self, folder: Path, text: str) -> None:
        self._folder = folder
        self._text = text
        self._changes = list(pages.CHANGE.finditer(text))
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    def follow(self, block: Block) -> Iterator[str]:
        """Apply the changes above a block, then run it; yield the output of each command.

        Every command must succeed, except in a block below `<!-- fails -->`, where every command must fail.
        """
        self.change(block.start)
        for step in block.steps:
            ran = subprocess.run(
                ["bash", "-o", "pipefail", "-c", step.command],
                cwd=self._folder,
                env={**self._environment, **modules_of(self._folder), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_COMMAND_SECONDS,
            )
            must_fail = self._text[: block.start].endswith(_FAILS)
            assert (ran.returncode != 0) is must_fail, f"$ {step.command}\n{ran.stdout}"
            yield ran.stdout.replace(f"{self._folder}/", "")

    def change(self, end: int) -> None:
        """Apply the changes before the position `end` of the page that are not applied yet."""
        while self._changes and self._changes[0].start() < end:
            change = self._changes.pop(0)
            path = self._folder / change["file"]
            text = path.read_text() if path.exists() else ""
            for hunk in re.split(r"^@@\n", change["hunks"], flags=re.MULTILINE):
                lines = hunk.splitlines(keepends=True)
                old = "".join(line[1:] or "\n" for line in lines if line[0] != "+")
                new = "".join(line[1:] or "\n" for line in lines if line[0] != "-")
                assert (text.count(old) == 1) if text else not old, f"{change['file']} has not once:\n{old}"
                text = text.replace(old, new) if text else new
            path.write_text(text)


@pytest.mark.course
@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.path.stem)
def test_what_the_page_shows_can_be_done(page: pages.Page, tmp_path: Path) -> None:
    copy_checkout(tmp_path)
    copy = Copy(tmp_path, page.text)
    made, differences = rehearse(page.text, copy.follow)
    copy.change(len(page.text))
    if os.environ.get("COURSE") == "write":
        (ROOT / page.path).write_text(made)
    assert not differences, "\n".join(differences)
