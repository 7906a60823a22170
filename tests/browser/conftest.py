"""Fixtures: one system and one browser for the test run; separate pages, contexts and users for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.harness.chromium import launch_options, sign_in
from tests.browser.harness.system import Site, User
from tests.browser.harness.system import site as running_site
from tests.browser.harness.watch import Watch

_HERE = Path(__file__).parent
NewPage = Callable[..., Page]

expect.set_options(timeout=20_000)  # an upper limit for slow machines, not a delay


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The running system: gateway, page and mesh."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="session")
def playwright(site: Site) -> Iterator[Playwright]:
    """Playwright, which controls the browser."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The Chromium of the test run."""
    browser = playwright.chromium.launch(**launch_options())
    yield browser
    browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Records problems in the pages of the test. At its end, unexpected ones fail the test."""
    watch = Watch()
    yield watch
    problems = watch.problems()
    assert not problems, "\n".join(problems)


@pytest.fixture
def new_page(site: Site, browser: Browser, watch: Watch) -> Iterator[NewPage]:
    """A function that creates blank pages, each in its own context, as if in another browser.

    With a user, the page is signed in. `at` is the URL of another gateway. Other arguments go to Browser.new_context.
    """
    with ExitStack() as stack:

        def new_page(user: User | None = None, *, at: str = site.url, **options: object) -> Page:
            context = browser.new_context(base_url=at, **options)  # type: ignore[arg-type]
            stack.callback(context.close)
            watch.over(context)
            if user is not None:
                sign_in(context, at, user)
            return context.new_page()

        yield new_page


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A blank page without a session."""
    return new_page()


@pytest.fixture
def user(site: Site) -> User:
    """A user for this test only, without tasks."""
    return site.new_user()


@pytest.fixture
def signed_in(new_page: NewPage, user: User) -> Page:
    """A blank page that is signed in as `user`."""
    return new_page(user)


@pytest.fixture
def api(site: Site, user: User) -> Iterator[httpx.Client]:
    """An API client with the key of `user`."""
    with site.api(user) as client:
        yield client
