"""The first day of a user: a script, a shared link, another session, and a phone."""

import re

import httpx
from playwright.sync_api import Page, expect
from task.v1 import task_pb2

from tests.browser.conftest import NewPage
from tests.browser.harness import board
from tests.browser.harness.script import script
from tests.browser.harness.system import Site, User
from tests.browser.harness.watch import Watch

_CREATED, _COMPLETED, _CARDS_MAX = 5_000, 100, 200
_SMALL_TARGETS = """() => [...document.querySelectorAll('button, input, select, textarea, a')]
  .filter(each => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter(each => { const { width, height } = each.getBoundingClientRect(); return width < 24 || height < 24; })
  .map(each => each.outerHTML.slice(0, 200))"""


def _shows(page: Page, status: str, count: int) -> None:
    expect(board.column(page, status).get_by_text(str(count), exact=True)).to_be_visible()


def test_the_board_follows_a_script_that_creates_5000_tasks_and_completes_100(
    signed_in: Page, site: Site, user: User
) -> None:
    board.open_board(signed_in)
    with script(site, user) as own:
        creating = own.create((f"Task {number}" for number in range(_CREATED)), [task_pb2.TASK_STATUS_TODO])
        board.add(signed_in, "Mine")
        expect(signed_in.get_by_role("textbox", name="Title").first).to_have_value("")
        expect(signed_in.get_by_text(re.compile(r"^\d+ new notifications$")).first).to_be_visible()
        ids = creating.result()
        _shows(signed_in, "To do", _CREATED + 1)
        assert signed_in.get_by_role("article").count() <= _CARDS_MAX
        done = [task_pb2.Task(id=id, status=task_pb2.TASK_STATUS_DONE) for id in ids[:_COMPLETED]]
        own.update(done).result()
    _shows(signed_in, "Done", _COMPLETED)
    _shows(signed_in, "To do", _CREATED + 1 - _COMPLETED)


def test_a_shared_url_shows_another_user_the_same_filters_on_their_own_tasks(
    page: Page, api: httpx.Client, site: Site, user: User
) -> None:
    for title in ("Buy milk", "Buy bread"):
        api.post("/api/v1/tasks", json={"title": title, "priority": "URGENT"})
    other = site.new_user()
    with site.api(other) as others:
        for title, priority in (("Buy tea", "URGENT"), ("Buy salt", "LOW"), ("Call Ada", "URGENT")):
            others.post("/api/v1/tasks", json={"title": title, "priority": priority})
    page.goto("/?view=list&q=BUY&priority=URGENT&sort=due_time")
    board.sign_in(page, other.name, other.password)
    expect(board.card(page, "Buy tea")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("BUY")
    expect(page.get_by_label("Sort by")).to_have_value("due_time")
    expect(page.get_by_role("button", name="1 filter")).to_be_visible()


def test_an_undo_keeps_what_another_session_changed_and_names_it(
    new_page: NewPage, user: User, api: httpx.Client, watch: Watch
) -> None:
    watch.expect("status of 409")
    task = api.post("/api/v1/tasks", json={"title": "Trip"}).json()
    mine = new_page(user)
    board.open_board(mine)
    board.choose(mine, "Trip", "Delete")
    expect(board.toast(mine, "“Trip” deleted")).to_be_visible()
    api.post(f"/api/v1/tasks/{task['id']}:undelete")
    api.patch(f"/api/v1/tasks/{task['id']}", json={"title": "Trip to Rome"})
    expect(board.card(mine, "Trip to Rome")).to_be_visible()
    mine.get_by_role("button", name="Undo").click()
    expect(board.toast(mine, "Changes made elsewhere are kept: Title.")).to_be_visible()
    assert api.get(f"/api/v1/tasks/{task['id']}").json()["title"] == "Trip to Rome"


def test_on_a_phone_tasks_are_created_edited_moved_and_found(new_page: NewPage, user: User, api: httpx.Client) -> None:
    page = new_page(user, viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True)

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.evaluate(_SMALL_TARGETS) == []

    board.open_board(page)
    board.add(page, "Buy milk")
    expect(board.card(page, "Buy milk")).to_have_attribute("aria-busy", "false")
    fits()
    board.title_of(page, "Buy milk").tap()
    form = board.editor(page, "Buy milk")
    form.get_by_label("Title").fill(title := "Buy " + "w" * 196)
    form.get_by_label("Description", exact=True).fill("d" * 500)
    form.get_by_label("Priority").select_option("High")
    form.get_by_label("Labels").fill("l" * 50)
    fits()
    form.get_by_role("button", name="Save").tap()
    expect(board.title_of(page, title)).to_be_focused()
    page.get_by_role("button", name=f"Actions for “{title}”").tap()
    page.get_by_role("menuitem", name="Move to In progress").tap()
    expect(board.card(board.column(page, "In progress"), title)).to_have_attribute("aria-busy", "false")
    fits()
    page.get_by_role("searchbox").fill("www")
    page.wait_for_url("**q=www")
    expect(board.card(page, title)).to_be_visible()
    fits()
    page.get_by_text("List", exact=True).tap()
    expect(page.get_by_role("region", name="Tasks", exact=True).get_by_role("article")).to_have_count(1)
    fits()
    (task,) = api.get("/api/v1/tasks").json()["tasks"]
    assert (task["title"], task["priority"], task["status"]) == (title, "HIGH", "IN_PROGRESS")
