"""Measure the page with 10,000 tasks, and compare it with 50: `make bench-page`.

It starts its own mesh, and loads the built page in Chromium with a CPU that is four times slower. The pages take turns,
and all parts share the cores of the machine: compare the columns of one run, not two runs.

- longest task: the CPU time of the longest task in the page's main thread.
- input delay: the longest time from a key press to the next paint.
- scrolling: with 10,000 tasks, also `Show more`. With 50 tasks there is no more to show, so the ratio has no target.
- time to interactive: until the tasks are shown and the main thread is free.

The targets: a ratio of at most 2, at most 200 cards in the document, and at most 150 MiB of heap.
"""

import json
import platform
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from os import cpu_count
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, expect, sync_playwright
from task.v1 import task_pb2

from tests.browser.harness import board
from tests.browser.harness.chromium import launch_options, sign_in
from tests.browser.harness.script import Script, script
from tests.browser.harness.system import Site, User, site

FEW, SOME, MANY = 50, 1_000, 10_000
LIVE_CHANGES, LIVE_SECONDS = 500, 5
MISSED = 3_000
ROUNDS = 3
SLOWDOWN = 4
PAGES_SHOWN = 20
WAIT_MS = 120_000
TRACED = ["disabled-by-default-devtools.timeline", "__metadata"]

_RECORD_INPUT = """
window.delays = [];
new PerformanceObserver(list => {
  for (const { name, duration } of list.getEntries()) if (name.startsWith('key')) delays.push(duration);
}).observe({ type: 'event', durationThreshold: 16 });
"""
_INTERACTIVE = """
window.interactive = new Promise(resolve => {
  new MutationObserver((_, observer) => {
    if (document.querySelectorAll('section h2 [aria-label]').length < 3) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  }).observe(document, { subtree: true, childList: true });
});
"""
# Locators by role would take more of the page's main thread than the page itself.
_IS_FIRST = "title => document.querySelector('article [id^=task]')?.textContent === title"
_RETURNS_TO_THE_FIRST = """() => {
  const back = [...document.querySelectorAll('section button')].find(each => each.textContent.includes('before these'));
  back?.click();
  return !back;
}"""


class Measured:
    """A signed-in page of a user with tasks, and the user's script."""

    def __init__(self, running: Site, browser: Browser, user: User, script: Script, ids: list[str]) -> None:
        self.script = script
        self.ids = ids
        self._browser = browser
        self._context = browser.new_context(base_url=running.url)
        sign_in(self._context, running.url, user)
        self._context.add_init_script(_RECORD_INPUT + _INTERACTIVE)
        self.page = self._context.new_page()
        self.devtools: CDPSession = self._context.new_cdp_session(self.page)

    def open(self) -> float:
        """Open the page, and return the milliseconds until it shows the tasks and reacts to input."""
        self.slow_down(SLOWDOWN)
        self.page.goto("/")
        took: float = self.page.evaluate("interactive")
        self.slow_down(1)
        board.is_live(self.page)
        return took

    def slow_down(self, times: int) -> None:
        """Make the page's CPU slower."""
        self.devtools.send("Emulation.setCPUThrottlingRate", {"rate": times})

    def changes(self, title: str, count: int) -> list[task_pb2.Task]:
        """Return changes of the titles of `count` tasks, spread over all."""
        step = max(1, len(self.ids) // count)
        return [task_pb2.Task(id=self.ids[i * step % len(self.ids)], title=f"{title} {i}") for i in range(count)]

    def create_last(self, title: str) -> None:
        """Create a task after all other changes, and wait until the page shows it."""
        (new,) = self.script.create([title]).result()
        self.ids.append(new)
        self.page.wait_for_function(_IS_FIRST, arg=title, timeout=WAIT_MS)

    def type_a_search(self) -> None:
        """Search for a word, and clear the search."""
        self.page.keyboard.type("task 7", delay=120)
        self.page.wait_for_url("**q=task*")
        for _ in "task 7":
            self.page.keyboard.press("Backspace", delay=60)
        self.page.wait_for_url(lambda url: "q=" not in url)

    def type_a_title(self) -> None:
        """Type a title for a new task, and delete it."""
        self.page.keyboard.type("task")
        for _ in "task":
            self.page.keyboard.press("Backspace")

    @contextmanager
    def measured(self, results: dict[str, float], name: str, focused: str = "form input") -> Iterator[None]:
        """Add the longest task and the input delay of the block to `results`, in milliseconds."""
        self.page.locator(focused).first.focus()
        self.slow_down(SLOWDOWN)
        self.page.evaluate("delays.length = 0")
        self._browser.start_tracing(page=self.page, categories=TRACED)
        yield
        results[f"{name}: longest task (ms)"] = _longest_task(self._browser.stop_tracing())
        results[f"{name}: input delay (ms)"] = self.page.evaluate("Math.max(8, ...delays)")
        self.slow_down(1)

    def cards(self) -> int:
        """Return the number of cards in the document."""
        count: int = self.page.evaluate("document.querySelectorAll('article').length")
        return count

    def heap_megabytes(self) -> float:
        """Return the size of the JavaScript heap after a garbage collection."""
        self.devtools.send("HeapProfiler.collectGarbage")
        used: float = self.devtools.send("Runtime.getHeapUsage")["usedSize"]
        return used / 1024 / 1024


def _longest_task(trace: bytes) -> float:
    events: list[dict[str, Any]] = json.loads(trace)["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [e for e in events if e["name"] == "RunTask" and (e["pid"], e["tid"]) in main and "tdur" in e]
    assert tasks, "the trace has no tasks"
    return float(max(task["tdur"] for task in tasks)) / 1000


def live_changes(measured: Measured, results: dict[str, float], number: int) -> None:
    """Type while 500 changes arrive in five seconds."""
    with measured.measured(results, "live changes"), changing(measured, f"round {number}") as are_changing:
        while are_changing():
            measured.type_a_title()


def search(measured: Measured, results: dict[str, float], number: int) -> None:
    """Search while 500 changes arrive in five seconds."""
    with (
        measured.measured(results, "search", "input[type=search]"),
        changing(measured, f"search {number}") as are_changing,
    ):
        while are_changing():
            measured.type_a_search()


@contextmanager
def changing(measured: Measured, name: str) -> Iterator[Callable[[], bool]]:
    """Send the live changes during the block; yield a function that returns whether there are more."""
    changes = measured.changes(f"Task, {name}", LIVE_CHANGES)
    sending = measured.script.update(changes, per_second=LIVE_CHANGES / LIVE_SECONDS)
    yield lambda: not sending.done()
    sending.result()
    measured.create_last(f"After the changes of {name}")


def catch_up(measured: Measured, results: dict[str, float], number: int) -> None:
    """Type while the page catches up with 3,000 events that it missed without a connection."""
    measured.page.context.set_offline(True)
    expect(measured.page.get_by_role("status").filter(has_text="Offline")).to_be_visible(timeout=WAIT_MS)
    measured.script.update(measured.changes(f"Task, missed in round {number}", MISSED)).result()
    with measured.measured(results, "catch-up"):
        measured.page.context.set_offline(False)
        for _ in range(10):
            measured.type_a_title()
        measured.create_last(f"After the sleep of round {number}")


def scroll(measured: Measured, results: dict[str, float], _number: int) -> None:
    """Scroll, and show more tasks where there are more."""
    page = measured.page
    more = "section button:has-text('more tasks')"
    focused, key = (more, "Enter") if page.locator(more).count() else ("article button", "PageDown")
    with measured.measured(results, "scrolling", focused):
        for _ in range(PAGES_SHOWN):
            page.keyboard.press(key, delay=100)
            page.mouse.wheel(0, 600)
    results["cards in the document"] = measured.cards()
    page.wait_for_function(_RETURNS_TO_THE_FIRST)


SCENARIOS: tuple[Callable[[Measured, dict[str, float], int], None], ...] = (live_changes, catch_up, scroll, search)


def run(running: Site, browser: Browser, stack: ExitStack) -> dict[int, dict[str, list[float]]]:
    """Return the results of all rounds, by number of tasks and measurement."""

    def user_with(count: int) -> tuple[User, Script, list[str]]:
        user = running.new_user()
        own = stack.enter_context(script(running, user))
        return user, own, own.create(f"Task {number}" for number in range(count)).result()

    def fresh_pages(count: int) -> Callable[[], float]:
        user, own, ids = user_with(count)

        def opened() -> float:
            new = Measured(running, browser, user, own, ids)
            took = new.open()
            new.page.context.close()
            return took

        return opened

    openers = {count: fresh_pages(count) for count in (FEW, SOME)}
    pages = {count: Measured(running, browser, *user_with(0)) for count in (FEW, MANY)}
    for count, page in pages.items():
        page.open()
        page.ids += page.script.create(f"Task {number}" for number in range(count)).result()
        page.create_last("The last of all")
        say(f"{count} tasks created while the board was open")
    found: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(ROUNDS):
        for count, opener in openers.items():
            found[count]["time to interactive (ms)"].append(opener())
    for scenario in SCENARIOS:
        for number in range(1, ROUNDS + 1):
            for count, page in pages.items():
                results: dict[str, float] = {}
                scenario(page, results, number)
                results["heap after garbage collection (MiB)"] = page.heap_megabytes()
                for name, value in results.items():
                    found[count][name].append(value)
                say(f"round {number}, {count} tasks, {scenario.__name__}: {results}")
    return found


def say(line: str) -> None:
    """Print a line without buffering, so that a long run shows its progress."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run all rounds and print the medians."""
    with (
        ExitStack() as stack,
        tempfile.TemporaryDirectory() as directory,
        site(Path(directory)) as running,
        sync_playwright() as playwright,
        playwright.chromium.launch(**launch_options()) as browser,
    ):
        version = browser.version
        found = run(running, browser, stack)
    machine = f"{cpu_count()} cores, {platform.system()} {platform.machine()}"
    say(f"Chromium {version}, CPU {SLOWDOWN} times slower; {machine}")
    for large in (SOME, MANY):
        say(f"\nmedian of {ROUNDS} rounds {'':25} {FEW:>8} {large:>8}    ratio")
        for name, values in found[large].items():
            few, many = statistics.median(found[FEW][name]), statistics.median(values)
            say(f"{name:42} {few:8.0f} {many:8.0f} {many / few:8.1f}")


if __name__ == "__main__":
    main()
