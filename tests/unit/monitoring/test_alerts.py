"""Every alert has a section in the runbook, and promtool tests that it fires, does not fire, and clears."""

import re
from typing import Any

import pytest
import yaml

from tests import ROOT

_MONITORING = ROOT / "monitoring"
_RULES = _MONITORING / "prometheus/rules/alerts.yml"
_TESTS = sorted((_MONITORING / "prometheus/tests").glob("*.yml"))
_RUNBOOK = (_MONITORING / "runbook.md").read_text()

ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(_RULES.read_text())["groups"] for rule in group["rules"]
]
NAMES = [alert["alert"] for alert in ALERTS]


def _sections() -> dict[str, str]:
    """Return the text under each heading of the runbook."""
    _, *parts = re.split(r"^## (.+)\n", _RUNBOOK, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _expected(alert: str) -> list[tuple[str, bool]]:
    """Return each expectation of the promtool tests for an alert: the test's name, and whether the alert must fire."""
    return [
        (test["name"], bool(look["exp_alerts"]))
        for file in _TESTS
        for test in yaml.safe_load(file.read_text())["tests"]
        for look in test["alert_rule_test"]
        if look["alertname"] == alert
    ]


def test_the_runbook_has_a_heading_for_each_alert_and_no_other() -> None:
    assert list(_sections()) == NAMES


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_an_alert_has_a_severity_a_summary_and_a_link_to_the_runbook(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["runbook"] == f"monitoring/runbook.md#{alert['alert'].lower()}"


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_has_tests_that_it_fires_and_that_it_does_not(name: str) -> None:
    assert {fires for _, fires in _expected(name)} == {True, False}


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_has_a_test_that_it_clears(name: str) -> None:
    in_one_test: dict[str, list[bool]] = {}
    for test, fires in _expected(name):
        in_one_test.setdefault(test, []).append(fires)
    assert any(True in looks and looks[-1] is False for looks in in_one_test.values())
