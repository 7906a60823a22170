"""Steps and locators for the page, by visible text and accessible name."""

from playwright.sync_api import Locator, Page, expect


def open_board(page: Page, path: str = "/") -> None:
    """Open the page as a signed-in user and wait until it is live."""
    page.goto(path)
    is_live(page)


def is_live(page: Page) -> None:
    """Wait until the page shows the status Live."""
    expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=15_000)


def sign_in(page: Page, name: str, password: str) -> None:
    """Fill in and submit the login form."""
    page.get_by_label("Username", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def add(page: Page, title: str) -> None:
    """Add a task."""
    page.get_by_role("textbox", name="Title").first.fill(title)
    page.get_by_role("button", name="Add", exact=True).click()


def column(page: Page, status: str) -> Locator:
    """Return the column with this heading."""
    return page.get_by_role("region", name=status, exact=True)


def card(within: Page | Locator, title: str) -> Locator:
    """Return the card of the task with this title."""
    page = within if isinstance(within, Page) else within.page
    return within.get_by_role("article").filter(has=title_of(page, title))


def title_of(within: Page | Locator, title: str) -> Locator:
    """Return the title button of a task, which opens it."""
    return within.get_by_role("button", name=title, exact=True)


def choose(page: Page, title: str, entry: str) -> None:
    """Choose an entry of the task's menu."""
    page.get_by_role("button", name=f"Actions for “{title}”").click()
    page.get_by_role("menuitem", name=entry).click()


def editor(page: Page, title: str) -> Locator:
    """Return the edit form of the task with this title."""
    return page.get_by_role("form", name=f"Edit “{title}”")


def toast(page: Page, text: str) -> Locator:
    """Return the text in a toast."""
    return page.get_by_role("region", name="Messages").get_by_text(text, exact=True)
