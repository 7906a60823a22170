"""Gathers what the fault tests saw; pytest prints it with the summary of each test that passed."""

from collections.abc import Callable

import pytest

from tests.faults.oracle import Verdict
from tests.faults.report import Report


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    def add(row: str, injected: str, verdict: Verdict) -> None:
        record_property("fault", f"{row:7} {injected}: {verdict}")

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seen = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in getattr(report, "user_properties", ())
        if name == "fault"
    ]
    if seen:
        terminalreporter.section("faults: what was injected and seen")
        for line in sorted(seen):
            terminalreporter.line(line)
