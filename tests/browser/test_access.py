"""Accessibility: keyboard, screen reader, both themes, and screen widths from phone to desktop."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.harness import board
from tests.browser.harness.axe import violations
from tests.browser.harness.system import User
from tests.browser.harness.watch import Watch


def _press_until(page: Page, key: str, name: str, presses: int = 60) -> None:
    """Press a key until the element with this accessible name has the focus."""
    for _ in range(presses):
        page.keyboard.press(key)
        if page.evaluate(_FOCUSED) == name:
            return
    pytest.fail(f"{presses} presses of {key} do not reach {name!r}")


_FOCUSED = """() => { const it = document.activeElement;
  return it.getAttribute('aria-label') ?? it.labels?.[0]?.textContent.trim() ?? it.textContent.trim(); }"""


def test_everything_can_be_done_by_keyboard_alone(page: Page, user: User) -> None:
    page.goto("/")
    expect(page.get_by_label("Username", exact=True)).to_be_focused()
    page.keyboard.type(user.name)
    page.keyboard.press("Tab")
    page.keyboard.type(user.password)
    page.keyboard.press("Enter")
    board.is_live(page)

    _press_until(page, "Tab", "Title")
    page.keyboard.type("By hand")
    page.keyboard.press("Enter")
    expect(board.card(board.column(page, "To do"), "By hand")).to_be_visible()
    expect(board.card(page, "By hand")).to_have_attribute("aria-busy", "false")

    _press_until(page, "Tab", "By hand")
    page.keyboard.press("Alt+ArrowRight")
    expect(board.card(board.column(page, "In progress"), "By hand")).to_be_visible()
    expect(board.title_of(page, "By hand")).to_be_focused()

    page.keyboard.press("Enter")
    expect(board.editor(page, "By hand").get_by_label("Title")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(" alone")
    page.keyboard.press("Enter")
    expect(board.title_of(page, "By hand alone")).to_be_focused()

    _press_until(page, "Shift+Tab", "Mark “By hand alone” as done")
    page.keyboard.press("Space")
    expect(board.card(board.column(page, "Done"), "By hand alone")).to_be_visible()

    _press_until(page, "Tab", "Actions for “By hand alone”")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    expect(board.card(page, "By hand alone")).to_have_count(0)
    _press_until(page, "Tab", "Undo")
    page.keyboard.press("Enter")
    expect(board.card(page, "By hand alone")).to_be_visible()

    _press_until(page, "Shift+Tab", f"Account menu for {user.name}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password")).to_be_visible()


def test_changes_are_announced_to_screen_readers(signed_in: Page, api: httpx.Client) -> None:
    api.post("/api/v1/tasks", json={"title": "Quiet"})
    board.open_board(signed_in)
    announcement = signed_in.locator("p[aria-live=polite]")
    board.choose(signed_in, "Quiet", "Move to Done")
    expect(announcement).to_have_text("“Quiet” moved to Done")
    board.add(signed_in, "Loud")
    expect(announcement).to_have_text("“Loud” added")
    expect(signed_in.get_by_role("region", name="Messages")).to_have_attribute("aria-live", "polite")


def _login(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/")
    expect(page.get_by_label("Password")).to_be_visible()


def _board(page: Page) -> None:
    board.open_board(page)
    expect(board.card(page, "Everything")).to_be_visible()


def _list(page: Page) -> None:
    board.open_board(page, "/?view=list")
    expect(board.card(page, "Everything")).to_be_visible()


def _nothing_found(page: Page) -> None:
    board.open_board(page, "/?q=nothing+like+it")
    expect(page.get_by_text("No matching tasks")).to_be_visible()


def _new_task(page: Page) -> None:
    _board(page)
    page.get_by_role("button", name="Details").click()
    board.add(page, "x" * 201)
    expect(page.get_by_text("Title must be at most 200 characters")).to_be_visible()


def _editor(page: Page) -> None:
    _board(page)
    board.title_of(page, "Everything").click()
    expect(board.editor(page, "Everything")).to_be_visible()


def _menu(page: Page) -> None:
    _board(page)
    page.get_by_role("button", name="Actions for “Everything”").click()
    expect(page.get_by_role("menu")).to_be_visible()


def _inbox(page: Page) -> None:
    _board(page)
    page.get_by_role("button", name=re.compile("^Notifications")).click()
    expect(page.get_by_role("dialog", name="Notifications")).to_be_visible()


def _filters(page: Page) -> None:
    _board(page)
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_role("dialog", name="Filter")).to_be_visible()


def _toast(page: Page) -> None:
    _board(page)
    board.choose(page, "Everything", "Delete")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


def _expired(page: Page) -> None:
    _board(page)
    page.context.clear_cookies()
    board.choose(page, "Everything", "Move to Done")
    expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()


def _no_such_page(page: Page) -> None:
    page.goto("/no/such/page")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()


_SCREENS = (
    _board,
    _list,
    _nothing_found,
    _new_task,
    _editor,
    _menu,
    _inbox,
    _filters,
    _toast,
    _expired,
    _login,
    _no_such_page,
)


@pytest.mark.parametrize("screen", _SCREENS, ids=lambda screen: screen.__name__.strip("_"))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violations(
    screen: Callable[[Page], None], theme: str, new_page: NewPage, user: User, api: httpx.Client, watch: Watch
) -> None:
    watch.expect("status of (401|422|404)")
    everything = {"title": "Everything", "description": "Of all", "labels": ["home"], "priority": "URGENT"}
    assert api.post("/api/v1/tasks", json={**everything, "due_time": "2026-01-03T10:00:00Z"}).status_code == 201
    page = new_page(user, color_scheme=theme, reduced_motion="reduce")
    screen(page)
    assert violations(page) == []


@pytest.mark.parametrize("width", [768, 1920])
def test_the_page_fits_the_screen_at_any_width(width: int, new_page: NewPage, user: User, api: httpx.Client) -> None:
    api.post("/api/v1/tasks", json={"title": "w" * 200, "description": "d" * 500, "labels": ["l" * 50]})
    page = new_page(user, viewport={"width": width, "height": 800})
    board.open_board(page)
    expect(board.card(page, "w" * 200)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    board.open_board(page, "/?view=list")
    expect(board.card(page, "w" * 200)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_fits_a_phone_while_it_loads_and_connects(new_page: NewPage, user: User) -> None:
    page = new_page(user, viewport={"width": 320, "height": 800})
    page.route("**/api/v1/tasks?*", lambda _: None)
    page.route("**/api/v1/events", lambda _: None)
    page.goto("/")
    expect(page.get_by_text("Loading more tasks").last).to_be_attached()
    expect(page.get_by_text("Connecting")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_chosen_theme_is_kept(new_page: NewPage, user: User) -> None:
    page = new_page(user, color_scheme="light")
    board.open_board(page)
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name=f"Account menu for {user.name}").click()
    page.get_by_role("menuitemradio", name="Appearance: Dark").click()
    dark = page.evaluate(background)
    assert dark != light
    board.open_board(page)
    assert page.evaluate(background) == dark
    page.get_by_role("button", name=f"Account menu for {user.name}").click()
    page.get_by_role("menuitemradio", name="Appearance: System").click()
    assert page.evaluate(background) == light


def test_times_are_in_the_users_time_zone(new_page: NewPage, user: User, api: httpx.Client) -> None:
    api.post("/api/v1/tasks", json={"title": "Far", "due_time": "2031-03-03T03:30:00Z"})
    page = new_page(user, timezone_id="America/New_York", locale="en-US")
    board.open_board(page)
    expect(board.card(page, "Far").get_by_text("Mar 2, 2031")).to_be_visible()
    board.title_of(page, "Far").click()
    form = board.editor(page, "Far")
    expect(form.get_by_label("Due")).to_have_value("2031-03-02T22:30")
    expect(form.get_by_text("America/New_York")).to_be_visible()


def test_a_print_shows_every_column_and_no_forms(new_page: NewPage, user: User, api: httpx.Client) -> None:
    api.post("/api/v1/tasks", json={"title": "On paper", "status": "DONE"})
    page = new_page(user, viewport={"width": 700, "height": 1000})
    board.open_board(page)
    expect(board.card(page, "On paper")).to_be_visible()
    page.emulate_media(media="print")
    for name in ("Title", "Search title and description"):
        expect(page.get_by_label(name, exact=True)).to_be_hidden()
    assert page.evaluate("[...document.querySelectorAll('article')].every(e => e.getBoundingClientRect().right <= 700)")
