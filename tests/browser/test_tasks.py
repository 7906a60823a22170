"""Tasks on the page: create, edit, move, complete, delete and find them."""

import re
from datetime import UTC, datetime, timedelta

import httpx
from playwright.sync_api import Page, expect

from tests.browser.harness import board
from tests.browser.harness.watch import Watch


def _created(api: httpx.Client, title: str, **more: object) -> dict[str, str]:
    response = api.post("/api/v1/tasks", json={"title": title, **more})
    assert response.status_code == 201, response.text
    task: dict[str, str] = response.json()
    return task


def test_a_task_with_all_its_details_is_created_and_shown(signed_in: Page) -> None:
    board.open_board(signed_in)
    signed_in.get_by_role("button", name="Details").click()
    signed_in.get_by_label("Description", exact=True).fill("Two litres")
    signed_in.get_by_label("Status").select_option("In progress")
    signed_in.get_by_label("Priority").select_option("Urgent")
    signed_in.get_by_label("Due").fill("2026-01-03T10:00")
    for label in ("shop", "home, sweet home", "shop"):
        signed_in.get_by_label("Labels").fill(label)
        signed_in.get_by_label("Labels").press("Enter")
    board.add(signed_in, "Buy milk")
    card = board.card(board.column(signed_in, "In progress"), "Buy milk")
    for words in ("Two litres", "Urgent", "Overdue", "shop", "home, sweet home"):
        expect(card.get_by_text(words)).to_be_visible()
    expect(card.get_by_text("shop")).to_have_count(1)
    expect(signed_in.get_by_role("button", name="Remove label")).to_have_count(0)


def test_a_new_task_reaches_the_notifier_and_shows_a_toast(signed_in: Page) -> None:
    board.open_board(signed_in)
    board.add(signed_in, "Call Ada")
    expect(board.toast(signed_in, "“Call Ada” was created")).to_be_visible()
    expect(board.toast(signed_in, "Sent by the notification service")).to_be_visible()
    expect(board.card(signed_in, "Call Ada").get_by_text("Notification pending")).to_be_hidden()

    signed_in.get_by_role("button", name="Notifications, 1 unread").click()
    inbox = signed_in.get_by_role("dialog", name="Notifications")
    inbox.get_by_role("button", name="Mark as read").click()
    expect(inbox.get_by_text("Unread")).to_be_hidden()
    expect(signed_in.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    inbox.get_by_role("button", name="“Call Ada” was created").click()
    expect(board.editor(signed_in, "Call Ada").get_by_label("Title")).to_be_focused()


def test_unsaved_edits_survive_escape_a_reload_and_a_deletion_elsewhere(signed_in: Page, api: httpx.Client) -> None:
    task = _created(api, "First")
    board.open_board(signed_in)
    board.title_of(signed_in, "First").click()
    description = board.editor(signed_in, "First").get_by_label("Description", exact=True)
    description.fill("half a sentence")
    description.press("Escape")
    expect(board.card(signed_in, "First").get_by_text("Unsaved changes")).to_be_visible()
    board.title_of(signed_in, "First").click()
    expect(signed_in).to_have_url(re.compile("task="))
    signed_in.reload()
    expect(description).to_have_value("half a sentence")
    description.focus()
    api.delete(f"/api/v1/tasks/{task['id']}")
    expect(board.editor(signed_in, "First").get_by_text("This task was deleted")).to_be_visible()
    expect(description).to_be_focused()
    signed_in.keyboard.type("! ")
    expect(description).to_have_value(re.compile("half a sentence! |! half a sentence"))


def test_escape_belongs_to_the_input_method_while_it_composes(signed_in: Page, api: httpx.Client) -> None:
    _created(api, "First")
    board.open_board(signed_in)
    board.title_of(signed_in, "First").click()
    title = board.editor(signed_in, "First").get_by_label("Title")
    expect(title).to_be_focused()
    devtools = signed_in.context.new_cdp_session(signed_in)
    devtools.send("Input.imeSetComposition", {"text": "か", "selectionStart": 1, "selectionEnd": 1})
    expect(title).to_have_value("Firstか")
    signed_in.keyboard.press("Escape")
    expect(title).to_be_focused()
    devtools.send("Input.insertText", {"text": "火"})
    expect(title).to_have_value("First火")


def test_an_invalid_value_shows_an_error_at_its_field(signed_in: Page, watch: Watch) -> None:
    watch.expect("status of 422")
    board.open_board(signed_in)
    board.add(signed_in, "x" * 201)
    title = signed_in.get_by_role("textbox", name="Title").first
    expect(title).to_have_accessible_description(re.compile("Title must be at most 200 characters"))
    expect(title).to_have_value("x" * 201)
    title.fill("short enough")
    signed_in.get_by_role("button", name="Details").click()
    signed_in.get_by_label("Labels").fill("y" * 51)
    signed_in.get_by_role("button", name="Add", exact=True).click()
    expect(signed_in.get_by_label("Labels")).to_have_accessible_description(
        re.compile("at most 50 characters, and this has 51")
    )


def test_a_task_is_finished_and_reopened_with_one_click(signed_in: Page, api: httpx.Client) -> None:
    _created(api, "Run")
    board.open_board(signed_in)
    signed_in.get_by_role("checkbox", name="Mark “Run” as done").click()
    expect(board.card(board.column(signed_in, "Done"), "Run")).to_be_visible()
    signed_in.get_by_role("checkbox", name="Mark “Run” as not done").click()
    expect(board.card(board.column(signed_in, "To do"), "Run")).to_be_visible()


def test_a_task_is_dragged_to_another_column(signed_in: Page, api: httpx.Client) -> None:
    task = _created(api, "Heavy")
    board.open_board(signed_in)
    board.card(signed_in, "Heavy").drag_to(board.column(signed_in, "In progress"))
    expect(board.card(board.column(signed_in, "In progress"), "Heavy")).to_be_visible()
    expect(board.card(signed_in, "Heavy")).to_have_attribute("aria-busy", "false")
    assert api.get(f"/api/v1/tasks/{task['id']}").json()["status"] == "IN_PROGRESS"


def test_search_filters_and_order_are_in_the_url(signed_in: Page, api: httpx.Client) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    _created(api, "Buy milk", priority="URGENT", labels=["shop"])
    _created(api, "Buy bread", labels=["shop"], due_time=soon)
    _created(api, "Call Ada", priority="URGENT")
    board.open_board(signed_in)
    signed_in.get_by_role("searchbox").fill("BUY")
    expect(signed_in.get_by_role("article")).to_have_count(2)
    signed_in.get_by_role("button", name="Filter", exact=True).click()
    signed_in.get_by_role("checkbox", name="Urgent").check()
    expect(signed_in.get_by_role("article")).to_have_count(1)
    signed_in.keyboard.press("Escape")
    signed_in.get_by_label("Sort by").select_option("Due soonest")
    signed_in.get_by_label("List").check()
    expect(signed_in).to_have_url(re.compile(r"\?view=list&q=BUY&priority=URGENT&sort=due_time$"))

    signed_in.reload()
    expect(board.card(signed_in, "Buy milk")).to_be_visible()
    expect(signed_in.get_by_role("article")).to_have_count(1)
    signed_in.get_by_role("button", name="Clear filters").click()
    expect(signed_in.get_by_role("article")).to_have_count(3)
    expect(signed_in.get_by_role("article").first).to_contain_text("Buy bread")
    signed_in.go_back()
    expect(signed_in.get_by_role("article")).to_have_count(1)
    signed_in.get_by_role("searchbox").fill("nothing like it")
    expect(signed_in.get_by_text("No matching tasks")).to_be_visible()


def test_midnight_changes_what_is_due_today(signed_in: Page, api: httpx.Client) -> None:
    for title, day in (("On the third", 3), ("On the fourth", 4)):
        _created(api, title, due_time=datetime(2031, 3, day, 23, tzinfo=UTC).isoformat())
    signed_in.clock.install(time=datetime(2031, 3, 3, 23, 59, 50, tzinfo=UTC))
    board.open_board(signed_in, "/?due=today")
    expect(board.card(signed_in, "On the third").get_by_text("today, 11:00")).to_be_visible()
    signed_in.clock.fast_forward(30_000)
    expect(board.card(signed_in, "On the fourth").get_by_text("today, 11:00")).to_be_visible()
    expect(board.card(signed_in, "On the third")).to_have_count(0)


def test_scrolling_loads_every_page(signed_in: Page, api: httpx.Client) -> None:
    for number in range(120):
        _created(api, f"Task {number:03}")
    board.open_board(signed_in, "/?view=list")
    expect(board.card(signed_in, "Task 119")).to_be_visible()
    assert signed_in.get_by_role("article").count() < 120
    expect(signed_in.get_by_text("50+", exact=True)).to_be_visible()
    while signed_in.get_by_role("article").count() < 120:
        before = signed_in.get_by_role("article").count()
        signed_in.get_by_role("article").last.scroll_into_view_if_needed()
        signed_in.wait_for_function("n => document.querySelectorAll('article').length > n", arg=before)
    expect(board.card(signed_in, "Task 000")).to_be_visible()
    expect(signed_in.get_by_text("120", exact=True)).to_be_visible()


def test_user_text_does_not_turn_the_text_around_it(signed_in: Page, api: httpx.Client) -> None:
    board.open_board(signed_in)
    _created(api, "\u202eabc\u2069\u202e")
    toast = signed_in.get_by_role("region", name="Messages").get_by_text("was created")
    expect(toast).to_be_visible()
    places = toast.evaluate(
        """(element) => [...element.firstChild.data].map((letter, i) => {
          const range = document.createRange();
          range.setStart(element.firstChild, i);
          range.setEnd(element.firstChild, i + 1);
          return [letter, range.getBoundingClientRect().x];
        })"""
    )
    words = [x for _, x in places[-len(" was created") :]]
    assert words == sorted(words)
    first, last = (next(x for letter, x in places if letter == each) for each in "ac")
    assert last < first < words[0]


def test_user_text_is_never_run_as_code(signed_in: Page, api: httpx.Client) -> None:
    hostile = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>{{7*7}}'
    _created(api, hostile, description=hostile, labels=["<b>bold</b>", "javascript:alert(1)"])
    board.open_board(signed_in)
    card = board.card(signed_in, hostile)
    expect(card).to_be_visible()
    expect(card.get_by_text("<b>bold</b>")).to_be_visible()
    expect(signed_in.get_by_role("button", name="Notifications, 1 unread")).to_be_visible()
    signed_in.get_by_role("button", name="Notifications, 1 unread").click()
    expect(signed_in.get_by_role("dialog").get_by_text(hostile)).to_be_visible()
    assert signed_in.evaluate("[window.hit, document.querySelectorAll('main img, main script, main b').length]") == [
        None,
        0,
    ]
