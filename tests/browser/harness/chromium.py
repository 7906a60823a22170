"""Which Chromium the tests take and how it is started, and how one of its contexts is signed in."""

import os
import shutil
from typing import Any

import httpx
from playwright.sync_api import BrowserContext

from tests.browser.harness.system import User

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def launch_options(*flags: str) -> dict[str, Any]:
    """What Playwright is to start: the program that CHROMIUM names, or else the system's, with more flags."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "there is no Chromium: set CHROMIUM to one; scripts/browser-deps installs Debian's"
    return {"executable_path": program, "args": [*_FLAGS, *flags]}


def sign_in(context: BrowserContext, at: str, user: User) -> None:
    """Gives a context the cookie that a sign-in at a gateway makes."""
    answer = httpx.get(f"{at}/api/v1/session", auth=(user.name, user.password), trust_env=False)
    assert answer.status_code == 200, answer.text
    context.add_cookies([{"name": name, "value": value, "url": at} for name, value in answer.cookies.items()])
