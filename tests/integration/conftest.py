"""Fixtures for tests that need a store."""

import pytest

from tests.integration.task_svc.stores import MONGO_SERVERS, STORES, OpenStore, mongo_server_of, opener
from tests.support.task_svc.mongo import MongoServer


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    """How to open a store; a test that asks for it runs on each kind."""
    return opener(request.param, request)


@pytest.fixture(params=MONGO_SERVERS)
def mongo_server(request: pytest.FixtureRequest) -> MongoServer:
    """A server for databases of MongoDB; a test that asks for it runs on each kind."""
    return mongo_server_of(request.param, request)
