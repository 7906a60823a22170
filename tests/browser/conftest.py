"""A browser before the whole system: one of each for the run; for each test pages, contexts and users of its own."""

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

expect.set_options(timeout=20_000)  # a limit, and no pause: machines may be busy


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Everything up."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="session")
def playwright(site: Site) -> Iterator[Playwright]:
    """What drives browsers."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium."""
    browser = playwright.chromium.launch(**launch_options())
    yield browser
    browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What goes wrong in the pages of this test, and fails it unless it says that it expects it."""
    watch = Watch()
    yield watch
    problems = watch.problems()
    assert not problems, "\n".join(problems)


@pytest.fixture
def new_page(site: Site, browser: Browser, watch: Watch) -> Iterator[NewPage]:
    """Makes blank pages, each in a context of its own, as if in another browser.

    With a user it is signed in; `at` is another gateway's URL; more arguments go to Browser.new_context.
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
    """A blank page of nobody who is signed in."""
    return new_page()


@pytest.fixture
def user(site: Site) -> User:
    """This test's own user, with nothing yet."""
    return site.new_user()


@pytest.fixture
def signed_in(new_page: NewPage, user: User) -> Page:
    """A blank page whose browser is signed in as `user`."""
    return new_page(user)


@pytest.fixture
def api(site: Site, user: User) -> Iterator[httpx.Client]:
    """The API as a program of `user` calls it."""
    with site.api(user) as client:
        yield client
