"""Lighthouse on the built page behind the gateway. It measures times, so `make lighthouse` runs nothing in parallel."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Playwright

from scripts.dev.parts import NODE
from tests import ROOT
from tests.browser.harness.chromium import launch_options, sign_in
from tests.browser.harness.system import Site, User
from tests.support.ports import free_port

pytestmark = pytest.mark.lighthouse

_LIGHTHOUSE = ROOT / "web/node_modules/lighthouse/cli/index.js"
_CATEGORIES = ("performance", "accessibility", "best-practices")
_LEAST = 95


@dataclass(frozen=True)
class Debuggable:
    """A Chromium that Lighthouse controls through a debugging port, with the cookies of `context`."""

    port: int
    context: BrowserContext


@pytest.fixture
def chromium(playwright: Playwright, tmp_path: Path) -> Iterator[Debuggable]:
    port = free_port()
    options = launch_options(f"--remote-debugging-port={port}")
    with playwright.chromium.launch_persistent_context(tmp_path / "profile", **options) as context:
        yield Debuggable(port, context)


def _report(url: str, port: int) -> dict[str, Any]:
    options = (f"--port={port}", "--disable-storage-reset", "--no-enable-error-reporting", "--quiet", "--output=json")
    command = [str(NODE), str(_LIGHTHOUSE), url, *options, f"--only-categories={','.join(_CATEGORIES)}"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def _why(report: dict[str, Any]) -> str:
    """Return the audits below the full score of 1, each with its score."""
    audits = report["audits"].values()
    return "\n".join(f"{each['score']} {each['title']}" for each in audits if each["score"] not in (None, 1))


@pytest.mark.parametrize("session", ["without a session", "signed in"])
def test_lighthouse_scores(
    session: str,
    chromium: Debuggable,
    site: Site,
    user: User,
    api: httpx.Client,
    record_property: Callable[[str, object], None],
) -> None:
    if session == "signed in":
        for number in range(20):
            assert api.post("/api/v1/tasks", json={"title": f"Task {number}"}).status_code == 201
        sign_in(chromium.context, site.url, user)
    report = _report(site.url, chromium.port)
    scores = {name: round(100 * report["categories"][name]["score"]) for name in _CATEGORIES}
    listed = ", ".join(f"{name} {score}" for name, score in scores.items())
    record_property("page", f"Lighthouse, {session}: {listed}")
    assert min(scores.values()) >= _LEAST, _why(report)
