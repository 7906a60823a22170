"""Gathers what the fault tests saw; `tests/conftest.py` prints it when the run is over."""

from collections.abc import Callable

import pytest

from tests.faults.oracle import Verdict
from tests.faults.report import Report


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    def add(row: str, injected: str, verdict: Verdict) -> None:
        record_property("fault", f"{row:7} {injected}: {verdict}")

    return add
