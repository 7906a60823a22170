"""Records problems in the pages of a test: console errors, exceptions, policy violations and crashes."""

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError

# The browser logs every response with a status over 399. The page requests the session to see whether there is one.
_NO_SESSION = re.compile(r"status of 401 .*/api/v1/session")


def started(page: Page) -> None:
    """Wait until the page's code runs: SvelteKit then adds its announcer for screen readers."""
    page.locator("#svelte-announcer").wait_for(state="attached")


class Watch:
    """The recorded problems of a test."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._expected = [_NO_SESSION]

    def over(self, context: BrowserContext) -> None:
        """Record the problems in all pages of a context. A Content-Security-Policy violation is a console error."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("page", lambda page: page.on("crash", self._crash))

    def expect(self, pattern: str) -> None:
        """Ignore lines that match this pattern. The lines of failed requests contain their status and URL."""
        self._expected.append(re.compile(pattern))

    def seen(self, pattern: str) -> list[str]:
        """Return the lines that match this pattern, expected or not."""
        return [line for line in self._seen if re.search(pattern, line)]

    def problems(self) -> list[str]:
        """Return the unexpected problems."""
        return [line for line in self._seen if not any(pattern.search(line) for pattern in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._seen.append(f"{message.type}: {message.text} {message.location['url']}")

    def _error(self, error: WebError) -> None:
        self._seen.append(f"exception: {error.error}")

    def _crash(self, page: Page) -> None:
        self._seen.append(f"crash: {page.url}")
