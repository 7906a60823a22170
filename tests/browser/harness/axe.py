"""Checks accessibility with axe-core: WCAG A and AA, and best practices."""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests import ROOT

_AXE = ROOT / "web/node_modules/axe-core/axe.min.js"


def violations(page: Page) -> list[str]:
    """Return the violations that axe finds on the page, one line per element."""
    page.evaluate(_source())
    found: dict[str, list[dict[str, Any]]] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: {_where(node)}: {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def _where(node: dict[str, Any]) -> str:
    return " ".join(str(each) for each in node["target"])


@cache
def _source() -> str:
    return _AXE.read_text()
