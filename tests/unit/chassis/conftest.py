"""What all tests of the chassis share."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keeps log lines out of the tests' output, where rendering the tracebacks would take most of the time."""
    with structlog.testing.capture_logs():
        yield
