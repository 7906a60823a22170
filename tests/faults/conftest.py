"""Fixtures: the mesh under test, and the results, which `tests/conftest.py` prints at the end of the run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness.checker import Effects, Verdict
from tests.faults.harness.report import Report, ReportLosses
from tests.faults.harness.system import System, system


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[System]:
    """A mesh with the SQLite store and one replica of each service. Some test files override it."""
    with system(tmp_path / "mesh") as running:
        yield running


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    def add(row: str, injected: str, verdict: Verdict) -> None:
        record_property("fault", f"{row:7} {injected}: {verdict}")

    return add


@pytest.fixture
def report_losses(record_property: Callable[[str, object], None]) -> ReportLosses:
    """Records the losses of the mesh and of the naive variant under the same fault."""

    def add(injected: str, module: str, found: Effects) -> None:
        variant = "with an outbox" if module == "task_svc" else "naive"
        notified = len(found.tasks & found.notified.keys())
        losses = f"{len(found.tasks)} tasks, {notified} notified, {len(found.lost)} lost"
        record_property("naive", f"{injected} | {variant} | {losses}")

    return add
