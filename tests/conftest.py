"""Fixtures that every kind of test may ask for."""

from collections.abc import Iterator

import pytest

from tests.support.mongo import Nx27017
from tests.support.valkey import Valkey


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


# Here and not beside the fault tests: of a parallel run, only this file is read by the process that prints.
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for kind, title in (("fault", "faults: what was injected and seen"), ("monitoring", "monitoring: what was shown")):
        seen = [
            value
            for report in terminalreporter.getreports("passed")
            for name, value in getattr(report, "user_properties", ())
            if name == kind
        ]
        if seen:
            terminalreporter.section(title)
            for line in sorted(seen):
                terminalreporter.line(line)
