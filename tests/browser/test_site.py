"""Tests of the fixtures in this folder: users, sessions, outages of the edge, low limits, and the watch."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import NewPage
from tests.browser.harness import axe
from tests.browser.harness.system import Site, User
from tests.browser.harness.watch import Watch, started

_STATUS = "fetch('/api/v1/tasks').then(response => response.status)"


def test_each_test_has_its_own_user_who_is_signed_in(
    signed_in: Page, new_page: NewPage, site: Site, user: User, api: httpx.Client
) -> None:
    other = new_page(site.new_user())
    assert api.post("/api/v1/tasks", json={"title": "Mine"}).status_code == 201
    for page, titles in ((signed_in, ["Mine"]), (other, [])):
        page.goto("/favicon.svg")
        listed = page.evaluate("fetch('/api/v1/tasks').then(response => response.json())")
        assert [task["title"] for task in listed["tasks"]] == titles
    assert signed_in.evaluate("fetch('/api/v1/session').then(response => response.json())") == {"user": user.name}


def test_the_edge_can_be_stopped_and_restarted(signed_in: Page, site: Site, watch: Watch) -> None:
    watch.expect(r"status of 502 .*/api/v1/tasks")
    signed_in.goto("/favicon.svg")
    with site.cut():
        assert signed_in.evaluate(_STATUS) == 502
    assert signed_in.evaluate(_STATUS) == 200


def test_a_second_gateway_has_low_limits(new_page: NewPage, site: Site, user: User, watch: Watch) -> None:
    watch.expect(r"status of 429 .*/api/v1/tasks")
    with site.narrow(api=7) as url:
        page = new_page(user, at=url)
        page.goto("/favicon.svg")
        statuses = page.evaluate(f"Promise.all(Array.from({{length: 20}}, () => {_STATUS}))")
    assert set(statuses) == {200, 429}
    assert statuses.count(200) <= 14, "the requests span at most two windows"


@pytest.mark.parametrize(
    ("kind", "what", "text"),
    [
        ("weberror", "setTimeout(() => { throw Error('thrown') })", "exception: thrown"),
        ("weberror", "setTimeout(() => Promise.reject(Error('refused')))", "exception: refused"),
        ("console", "console.error('said')", "error: said"),
        ("console", "console.warn('warned')", "warning: warned"),
        ("console", "fetch('/api/v1/tasks')", "status of 401 (Unauthorized)"),
        ("console", "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')", "Security Policy"),
    ],
)
def test_the_watch_records(page: Page, watch: Watch, kind: Any, what: str, text: str) -> None:
    page.goto("/")
    started(page)
    with page.context.expect_event(kind, lambda _: any(text in line for line in watch.problems())):
        page.evaluate(f"void ({what})")
    watch.expect(re.escape(text))


def test_axe_reports_violations_and_their_elements(page: Page) -> None:
    page.set_content('<html lang="en"><title>A page</title><main><h1>One</h1><img src="data:," id="bare"></main>')
    (found,) = axe.violations(page)
    assert found.startswith("image-alt (critical): Images must have alternative text: #bare: ")
