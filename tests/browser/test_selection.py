"""Several tasks are selected and changed at once."""

import httpx
from playwright.sync_api import Page, expect

from tests.browser.harness import axe, board


def test_tasks_are_selected_by_mouse_and_keyboard_completed_and_restored(signed_in: Page, api: httpx.Client) -> None:
    for number in range(1, 6):
        assert api.post("/api/v1/tasks", json={"title": f"Task {number}"}).status_code == 201
    board.open_board(signed_in)
    to_do, done = (board.column(signed_in, name).get_by_role("article") for name in ("To do", "Done"))
    bar = signed_in.get_by_role("region", name="Selected tasks")

    board.title_of(signed_in, "Task 5").focus()
    signed_in.keyboard.press("x")
    expect(bar.get_by_text("1 selected")).to_be_visible()
    expect(signed_in.get_by_role("checkbox", name="Select “Task 5”")).to_be_checked()
    board.title_of(signed_in, "Task 3").click(modifiers=["Shift"])
    signed_in.get_by_role("checkbox", name="Select “Task 4”").click()
    expect(bar.get_by_text("2 selected")).to_be_visible()
    assert axe.violations(signed_in) == []
    signed_in.keyboard.press("Escape")
    expect(bar).to_have_count(0)

    signed_in.get_by_role("button", name="Select", exact=True).click()
    board.title_of(signed_in, "Task 1").click()
    bar.get_by_role("button", name="Select all 5").click()
    board.title_of(signed_in, "Task 2").press("Space")
    bar.get_by_role("button", name="Complete").click()
    expect(board.toast(signed_in, "4 tasks moved to Done")).to_be_visible()
    expect(done).to_have_count(4)
    expect(bar).to_have_count(0)

    signed_in.get_by_role("button", name="Undo").click()
    expect(board.toast(signed_in, "4 tasks restored")).to_be_visible()
    expect(to_do).to_have_count(5)
    assert {task["status"] for task in api.get("/api/v1/tasks").json()["tasks"]} == {"TODO"}
