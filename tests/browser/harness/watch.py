"""Looks over the pages of a test for what nobody should have to look for: errors, broken policies, crashes."""

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError

# What a browser writes for any answer over 399; asking who one is, is how a page learns that nobody is signed in.
_NOBODY = re.compile(r"status of 401 .*/api/v1/session")


def started(page: Page) -> None:
    """Waits until the page's own code runs: this is what Kit adds then, for screen readers."""
    page.locator("#svelte-announcer").wait_for(state="attached")


class Watch:
    """Takes notes of what goes wrong."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._expected = [_NOBODY]

    def over(self, context: BrowserContext) -> None:
        """Looks over all pages of a context. A broken Content-Security-Policy is an error on the console."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("page", lambda page: page.on("crash", self._crash))

    def expect(self, pattern: str) -> None:
        """Says that lines with this pattern are no surprise; the answer's status and URL are in the browser's own."""
        self._expected.append(re.compile(pattern))

    def seen(self, pattern: str) -> list[str]:
        """The lines with this pattern, expected or not."""
        return [line for line in self._seen if re.search(pattern, line)]

    def problems(self) -> list[str]:
        """What went wrong and was not expected."""
        return [line for line in self._seen if not any(pattern.search(line) for pattern in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._seen.append(f"{message.type}: {message.text} {message.location['url']}")

    def _error(self, error: WebError) -> None:
        self._seen.append(f"exception: {error.error}")

    def _crash(self, page: Page) -> None:
        self._seen.append(f"crash: {page.url}")
