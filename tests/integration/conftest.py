"""Fixtures for tests that need a store."""

import pytest

from tests.integration.task_svc.stores import STORES, OpenStore, opener


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """How to open a store; a test that asks for it runs on each kind."""
    return opener(request.param, request)
