"""The page in `make dev`: Vite serves it through the gateway and updates it when its source changes."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests import ROOT
from tests.browser.conftest import NewPage
from tests.browser.harness.watch import Watch, started
from tests.support.stack.dev_runner import DevRunner, running

_NOT_COPIED = shutil.ignore_patterns("node_modules", "build", ".svelte-kit")


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[DevRunner]:
    """`make dev` with a copy of the page's source, so that a test can change it."""
    shutil.copytree(ROOT / "web", tmp_path / "web", ignore=_NOT_COPIED)
    (tmp_path / "web/node_modules").symlink_to(ROOT / "web/node_modules")
    with running(tmp_path / "data", cwd=tmp_path) as dev:
        dev.wait_for("Taskmesh is up")
        yield dev


@pytest.fixture
def page(dev: DevRunner, new_page: NewPage) -> Page:
    """The page, open and running."""
    page = new_page(at=f"http://localhost:{dev.ports['GATEWAY_PORT']}")
    with page.expect_websocket() as connected:
        page.goto("/")
    assert connected.value.url.startswith(f"ws://127.0.0.1:{dev.ports['WEB_PORT']}/")
    started(page)
    return page


def test_a_change_of_the_source_is_shown_automatically(page: Page, tmp_path: Path) -> None:
    source = tmp_path / "web/src/routes/+page.svelte"
    source.write_text(source.read_text() + '<p id="added">Added</p>\n')
    page.locator("#added").wait_for()


def test_it_stops_while_a_page_is_open(dev: DevRunner, page: Page, watch: Watch) -> None:
    watch.expect("ERR_CONNECTION_REFUSED")
    dev.descendants()
    with page.expect_console_message(lambda message: "server connection lost" in message.text):
        dev.send(signal.SIGINT)
    assert dev.wait() == 0, dev.output
    assert dev.left_behind() == []
