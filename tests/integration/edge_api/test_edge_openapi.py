"""The OpenAPI document is correct: valid data is accepted, invalid data is rejected, and every response is documented.

Run against the whole mesh, with each service in its own process.
"""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from edge_api import app
from edge_api.routes import docs
from edge_api.routes.events import PATH as EVENTS
from edge_api.routes.health import Draining
from edge_api.schemas import etags, limits
from edge_api.sse.live import Live
from edge_api.upstreams import Upstreams
from tests.support.edge_api.edge import as_user
from tests.support.stack.processes import whole_mesh
from tests.support.valkey import Valkey

# These routes get no requests, so they need no services.
DOCUMENT: dict[str, Any] = docs.document(
    app.routes(cast(Upstreams, SimpleNamespace(tasks=None, notifications=None)), cast(Live, None), Draining())
)
# Rejections that a schema cannot express: a page token of another request, an outdated etag, both or neither of two
# fields.
NOT_IN_SCHEMAS = frozenset({"INVALID_PAGE_TOKEN", "ETAG_MISMATCH", "INVALID_MARKS"})

# test_edge_events tests the event stream, which does not end. Kong, which is not used here, checks credentials.
schema = schemathesis.openapi.from_dict({**DOCUMENT, "security": []}).exclude(path=EVENTS)


@pytest.fixture(scope="module")
def edge_url(tmp_path_factory: pytest.TempPathFactory, valkey_server: Valkey) -> Iterator[str]:
    with whole_mesh(tmp_path_factory.mktemp("mesh"), valkey_server.url) as url:
        yield url


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
def test_every_operation_conforms_to_its_documentation(case: Any, edge_url: str) -> None:
    _use_a_new_key(case)
    answer = case.call(base_url=edge_url, headers=as_user("ada"))
    reason = answer.json().get("reason") if "problem+json" in str(answer.headers.get("content-type")) else None
    is_unseen = reason in NOT_IN_SCHEMAS or not _has_a_documented_etag(case)
    case.validate_response(answer, excluded_checks=[positive_data_acceptance] if is_unseen else [])


def test_the_served_document_is_the_tested_one(edge_url: str) -> None:
    assert httpx.get(f"{edge_url}/api/openapi.json").json() == DOCUMENT


def _has_a_documented_etag(case: Any) -> bool:
    # Schemathesis shortens the values of headers without regard to their pattern.
    etag = (case.headers or {}).get("If-Match")
    return etag is None or re.fullmatch(etags.IF_MATCH_PATTERN, etag) is not None


def _use_a_new_key(case: Any) -> None:
    # A key that was used before with another task is rejected, which a schema cannot express.
    key = (case.headers or {}).get("Idempotency-Key")
    if key is not None and len(key) <= limits.IDEMPOTENCY_KEY_MAX and re.fullmatch(limits.IDEMPOTENCY_KEY_PATTERN, key):
        case.headers["Idempotency-Key"] = str(uuid4())
