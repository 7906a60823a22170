"""The screenshots in the documentation match the page. `make screenshots` takes new ones."""

import base64
import os
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests import ROOT
from tests.browser.conftest import NewPage
from tests.browser.harness import board
from tests.browser.harness.system import User

_FOLDER = ROOT / "docs" / "images"
_NOW = datetime(2027, 3, 3, 9, 30, tzinfo=UTC)
_TASKS = (
    {"title": "Read the second chapter", "labels": ["course"]},
    {"title": "Look at a trace from the gateway to the notifier", "labels": ["course"], "priority": "LOW"},
    {"title": "Renew the passport", "due_time": "2027-03-01T10:00:00Z", "priority": "HIGH", "labels": ["home"]},
    {"title": "Break the queue and watch", "status": "IN_PROGRESS", "priority": "URGENT", "labels": ["course"]},
    {
        "title": "Prepare the talk",
        "description": "Twenty minutes, three demos, and no slide with more than ten words.",
        "status": "IN_PROGRESS",
        "due_time": "2027-03-04T14:00:00Z",
        "labels": ["work"],
    },
    {"title": "Water the plants", "status": "DONE", "labels": ["home"]},
    {"title": "Start everything with one command", "status": "DONE"},
)
# The share of pixels that differ: fonts are rendered slightly differently on other machines.
_DIFFERENCE = """async ([before, after]) => {
  const pixels = async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(0, 0, image.width, image.height);
  };
  const [a, b] = [await pixels(before), await pixels(after)];
  if (a.width !== b.width || a.height !== b.height) return 1;
  let different = 0;
  for (let i = 0; i < a.data.length; i += 4) {
    if (Math.abs(a.data[i] - b.data[i]) + Math.abs(a.data[i + 1] - b.data[i + 1]) > 64) different++;
  }
  return different / (a.data.length / 4);
}"""
_MAX_DIFFERENCE = 0.04


def _show(page: Page, path: str = "/") -> None:
    page.clock.set_fixed_time(_NOW)
    board.open_board(page, path)
    expect(page.get_by_role("article")).to_have_count(len(_TASKS))
    page.evaluate("document.fonts.ready")


def _compare(page: Page, name: str) -> None:
    """Compare a new screenshot with the stored one, which it replaces if SCREENSHOTS is `take`."""
    file, taken = _FOLDER / f"{name}.png", page.screenshot(animations="disabled", caret="hide")
    if os.environ.get("SCREENSHOTS") == "take":
        file.write_bytes(taken)
    blank = page.context.new_page()
    urls = [f"data:image/png;base64,{base64.b64encode(each).decode()}" for each in (file.read_bytes(), taken)]
    difference = blank.evaluate(_DIFFERENCE, urls)
    assert difference < _MAX_DIFFERENCE, (
        f"{difference:.1%} of {file.name} has changed: check the page, then run `make screenshots`"
    )


@pytest.fixture(autouse=True)
def _tasks(api: httpx.Client) -> None:
    for task in reversed(_TASKS):
        assert api.post("/api/v1/tasks", json=task).status_code == 201


def test_the_board_in_light(new_page: NewPage, user: User) -> None:
    page = new_page(user, color_scheme="light", viewport={"width": 1280, "height": 640})
    _show(page)
    _compare(page, "board-light")


def test_the_editor_in_dark(new_page: NewPage, user: User) -> None:
    page = new_page(user, color_scheme="dark", viewport={"width": 1280, "height": 760})
    _show(page)
    board.title_of(page, "Prepare the talk").click()
    expect(board.editor(page, "Prepare the talk")).to_be_visible()
    _compare(page, "editor-dark")


def test_the_list_on_a_phone(new_page: NewPage, user: User) -> None:
    page = new_page(user, color_scheme="dark", viewport={"width": 390, "height": 760}, device_scale_factor=2)
    _show(page, "/?view=list&sort=due_time")
    _compare(page, "phone")
