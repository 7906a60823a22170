"""The built page: the size of the first load, compressed copies, and the addresses in it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.stack.page import MOST_BYTES, built_page

pytestmark = pytest.mark.slow

_NAMES_ALONE = {"https://svelte.dev", "http://www.w3.org"}
"""Addresses that the page contains but does not request."""


@pytest.fixture(scope="module")
def page() -> Path:
    return built_page()


def test_the_first_load_is_small(page: Path, record_property: Callable[[str, object], None]) -> None:
    scripts = set(re.findall(r"\./([\w./-]+\.js)", (page / "index.html").read_text()))
    assert [name for name in scripts if name.startswith("_app/immutable/entry/start.")]
    size = sum((page / f"{name}.gz").stat().st_size for name in scripts)
    record_property("page", f"first load: {size / 1000:.1f} kB of compressed JavaScript, of {MOST_BYTES / 1000:g}")
    assert size <= MOST_BYTES


def test_all_text_files_have_a_compressed_copy(page: Path) -> None:
    texts = [path for path in page.rglob("*") if path.suffix in (".html", ".js", ".css", ".json", ".svg")]
    assert {path.suffix for path in texts} >= {".html", ".js", ".css", ".svg"}
    assert [path for path in texts if not path.with_name(f"{path.name}.gz").exists()] == []


def test_it_sends_requests_only_to_its_own_origin(page: Path) -> None:
    text = "\n".join(path.read_text() for path in page.rglob("*.js"))
    addresses = {found.strip("\"'`") for found in re.findall(r"""["'`](?:https?:)?//[^"'`/]+""", text)}
    assert addresses <= _NAMES_ALONE
