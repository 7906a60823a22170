"""Signing in and out, and sessions that end while the page is in use."""

import re

import httpx
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import NewPage
from tests.browser.harness import board
from tests.browser.harness.system import Site, User
from tests.browser.harness.watch import Watch

_COOKIE = "sid"


def _session(page: Page) -> dict[str, str]:
    return {each["name"]: each["value"] for each in page.context.cookies() if each["name"] == _COOKIE}


def _sign_out(page: Page, user: User) -> None:
    page.get_by_role("button", name=f"Account menu for {user.name}").click()
    page.get_by_role("menuitem", name="Sign out").click()


def test_a_username_and_password_open_the_board(page: Page, user: User) -> None:
    page.goto("/")
    board.sign_in(page, user.name, user.password)
    board.is_live(page)
    expect(page.get_by_text("No tasks yet")).to_be_visible()


def test_a_wrong_password_shows_an_error_at_its_field_and_keeps_the_input(page: Page, user: User, watch: Watch) -> None:
    page.goto("/")
    board.sign_in(page, user.name, "wrong")
    expect(page.get_by_label("Password")).to_have_accessible_description("Incorrect username or password.")
    expect(page.get_by_label("Username")).to_have_value(user.name)
    assert len(watch.seen("401")) == 2


def test_a_browser_that_keeps_no_cookie_gets_the_remedy(page: Page, user: User) -> None:
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")

    def without_cookie(route: Route) -> None:
        response = route.fetch()  # keeps the cookie itself
        page.context.clear_cookies()
        route.fulfill(status=response.status, body=response.body())

    page.route("**/api/v1/session", without_cookie)
    page.goto("/")
    board.sign_in(page, user.name, user.password)
    expect(page.get_by_role("alert")).to_contain_text("Open Taskmesh over HTTPS or at localhost")
    expect(page.get_by_label("Password")).to_have_value(user.password)


def test_too_many_attempts_show_when_to_try_again(new_page: NewPage, site: Site, user: User, watch: Watch) -> None:
    watch.expect("status of 429")
    with site.narrow(login=2) as url:
        page = new_page(at=url)
        page.goto("/")
        for _ in range(2):
            board.sign_in(page, user.name, "wrong")
            expect(page.get_by_text("Incorrect username or password")).to_be_visible()
        board.sign_in(page, user.name, user.password)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Too many requests. Try again in")
        expect(alert).to_contain_text("Request ID")
        expect(page.get_by_label("Password")).to_be_visible()


def test_a_hundred_sign_ins_in_a_row_succeed(page: Page, user: User) -> None:
    page.goto("/")
    for _ in range(100):
        board.sign_in(page, user.name, user.password)
        expect(page.get_by_text("No tasks yet")).to_be_visible()
        board.is_live(page)
        expect(page.get_by_role("dialog", name="Sign in again")).to_have_count(0)
        _sign_out(page, user)


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(signed_in: Page, site: Site, user: User) -> None:
    board.open_board(signed_in)
    cookies = _session(signed_in)
    _sign_out(signed_in, user)
    expect(signed_in.get_by_label("Password")).to_be_visible()
    with httpx.Client(base_url=site.url, cookies=cookies, trust_env=False) as copy:
        assert copy.get("/api/v1/session").status_code == 401


def test_signing_out_in_one_tab_empties_the_others(signed_in: Page, user: User, api: httpx.Client) -> None:
    api.post("/api/v1/tasks", json={"title": "A secret"})
    board.open_board(signed_in)
    other = signed_in.context.new_page()
    board.open_board(other, "/?q=secret")
    other.get_by_role("textbox", name="Title").first.fill("Half a secret")
    _sign_out(signed_in, user)
    for page in (signed_in, other):
        expect(page.get_by_label("Password")).to_be_visible()
        expect(page.get_by_text("secret")).to_have_count(0)
        expect(page.get_by_role("dialog")).to_have_count(0)
    expect(other).not_to_have_url(re.compile("secret"))
    assert other.evaluate("JSON.stringify(sessionStorage)") == "{}"


def test_an_expired_session_asks_for_the_password_and_keeps_the_edits(
    signed_in: Page, user: User, watch: Watch
) -> None:
    watch.expect("status of 401")
    board.open_board(signed_in)
    board.add(signed_in, "Write the letter")
    board.title_of(signed_in, "Write the letter").click()
    form = board.editor(signed_in, "Write the letter")
    form.get_by_label("Description", exact=True).fill("Dear Ada, this took me an hour")

    signed_in.context.clear_cookies()
    form.get_by_role("button", name="Save").click()
    again = signed_in.get_by_role("dialog", name="Sign in again")
    expect(again.get_by_label("Username")).to_have_value(user.name)
    again.get_by_label("Password").fill(user.password)
    again.get_by_role("button", name="Sign in").click()
    expect(again).to_be_hidden()

    expect(form.get_by_label("Description", exact=True)).to_have_value("Dear Ada, this took me an hour")
    form.get_by_role("button", name="Save").click()
    expect(board.card(signed_in, "Write the letter")).to_contain_text("Dear Ada, this took me an hour")


def test_another_user_who_signs_in_sees_no_data_of_the_previous_user(
    signed_in: Page, site: Site, user: User, watch: Watch
) -> None:
    watch.expect("status of 401")
    other = site.new_user()
    board.open_board(signed_in)
    board.add(signed_in, "A secret")
    expect(board.toast(signed_in, "“A secret” was created")).to_be_visible()
    signed_in.context.clear_cookies()
    board.add(signed_in, "After the end")
    board.sign_in(signed_in, other.name, other.password)
    expect(signed_in.get_by_text("No tasks yet")).to_be_visible()
    expect(signed_in.get_by_text("A secret")).to_have_count(0)
    expect(signed_in.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
