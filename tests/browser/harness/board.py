"""The page as a person finds their way on it: by what is written on it, and by what a screen reader says."""

from playwright.sync_api import Locator, Page, expect


def open_board(page: Page, path: str = "/") -> None:
    """Opens the page of somebody who is signed in, and waits until changes come live."""
    page.goto(path)
    is_live(page)


def is_live(page: Page) -> None:
    """Waits until the page says that it is."""
    expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=15_000)


def sign_in(page: Page, name: str, password: str) -> None:
    """Fills in the form and sends it."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def add(page: Page, title: str) -> None:
    """Writes down a new task."""
    page.get_by_role("textbox", name="Title").first.fill(title)
    page.get_by_role("button", name="Add", exact=True).click()


def column(page: Page, status: str) -> Locator:
    """The column with this heading."""
    return page.get_by_role("region", name=status, exact=True)


def card(within: Page | Locator, title: str) -> Locator:
    """The task with this title."""
    page = within if isinstance(within, Page) else within.page
    return within.get_by_role("article").filter(has=title_of(page, title))


def title_of(within: Page | Locator, title: str) -> Locator:
    """The title of a task, which opens it."""
    return within.get_by_role("button", name=title, exact=True)


def choose(page: Page, title: str, entry: str) -> None:
    """Does what an entry of the task's menu says."""
    page.get_by_role("button", name=f"What to do with “{title}”").click()
    page.get_by_role("menuitem", name=entry).click()


def editor(page: Page, title: str) -> Locator:
    """The form in which the task with this title is being edited."""
    return page.get_by_role("form", name=f"Edit “{title}”")


def toast(page: Page, words: str) -> Locator:
    """The toast that says so."""
    return page.get_by_role("region", name="What has happened").get_by_text(words, exact=True)
