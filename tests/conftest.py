"""Fixtures that every kind of test may ask for."""

from collections.abc import Iterator

import pytest
import structlog

from tests.support.task_svc.mongo import Nx27017
from tests.support.valkey import Valkey


def pytest_configure() -> None:
    """Has tracebacks written as the services write them: with all variables, one takes a second to draw."""
    structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def valkey(valkey_server: Valkey) -> Valkey:
    """A running server without any keys."""
    valkey_server.clear()
    return valkey_server


@pytest.fixture(scope="session")
def nx27017(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nx27017]:
    """A running server; each test takes a database of its own."""
    server = Nx27017(tmp_path_factory.mktemp("nx-27017"))
    server.start()
    yield server
    server.kill()


# Measurements of tests, by the name of the recorded property.
_SECTIONS = {
    "fault": "faults: what was injected and seen",
    "naive": "without an outbox and with it",
    "monitoring": "monitoring: what was shown",
    "page": "the page: what was measured",
    "course": "the course: what was run",
}


# In this file because the process that prints the report of a parallel run reads no other conftest.py.
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    seen = [each for report in reports for each in getattr(report, "user_properties", ())]
    for property_name, title in _SECTIONS.items():
        if lines := sorted(str(value) for name, value in seen if name == property_name):
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.line(line)
