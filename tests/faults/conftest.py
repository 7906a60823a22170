"""The mesh that the fault tests harm, and what they saw, which `tests/conftest.py` prints when the run is over."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness.checker import Effects, Verdict
from tests.faults.harness.report import Report, ReportLosses
from tests.faults.harness.system import System, system


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[System]:
    """With the SQLite store and one replica of each; a file whose tests need another has its own."""
    with system(tmp_path / "mesh") as running:
        yield running


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    def add(row: str, injected: str, verdict: Verdict) -> None:
        record_property("fault", f"{row:7} {injected}: {verdict}")

    return add


@pytest.fixture
def report_losses(record_property: Callable[[str, object], None]) -> ReportLosses:
    """For the naive variant beside the mesh: the fault, who had it, and what came of it."""

    def add(injected: str, module: str, found: Effects) -> None:
        who = "with the outbox" if module == "task_svc" else "naive"
        lost = f"{len(found.tasks)} tasks, {len(found.tasks & found.notified.keys())} told, {len(found.untold)} lost"
        record_property("naive", f"{injected} | {who} | {lost}")

    return add
