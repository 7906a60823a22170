"""Starts Chromium for the tests, and signs in its contexts."""

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
    """Return the launch options: the program in CHROMIUM or the system's Chromium, with additional flags."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "Chromium not found: set CHROMIUM to its path, or install Debian's with scripts/browser-deps"
    return {"executable_path": program, "args": [*_FLAGS, *flags]}


def sign_in(context: BrowserContext, at: str, user: User) -> None:
    """Sign in at the gateway and add the session cookie to the context."""
    response = httpx.get(f"{at}/api/v1/session", auth=(user.name, user.password), trust_env=False)
    assert response.status_code == 200, response.text
    context.add_cookies([{"name": name, "value": value, "url": at} for name, value in response.cookies.items()])
