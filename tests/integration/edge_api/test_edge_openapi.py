"""The OpenAPI document tells the truth: data that it allows is accepted, data that it forbids is refused, and every
answer is one that it describes. Run against the whole mesh, each service a process of its own.
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

# No request is made of these routes, so nothing needs to be behind them.
DOCUMENT: dict[str, Any] = docs.document(
    app.routes(cast(Upstreams, SimpleNamespace(tasks=None, notifications=None)), cast(Live, None), Draining())
)
# Well-formed values that are refused for what they stand for: a token of another request, an etag of the past,
# both or neither of two fields.
UNSEEN_BY_SCHEMAS = frozenset({"INVALID_PAGE_TOKEN", "ETAG_MISMATCH", "INVALID_MARKS"})

# The stream of events does not end, so it is left to test_edge_events. Kong, which is not here, checks credentials.
schema = schemathesis.openapi.from_dict({**DOCUMENT, "security": []}).exclude(path=EVENTS)


@pytest.fixture(scope="module")
def edge_url(tmp_path_factory: pytest.TempPathFactory, valkey_server: Valkey) -> Iterator[str]:
    with whole_mesh(tmp_path_factory.mktemp("mesh"), valkey_server.url) as url:
        yield url


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
def test_every_operation_does_what_its_documentation_says(case: Any, edge_url: str) -> None:
    _name_afresh(case)
    answer = case.call(base_url=edge_url, headers=as_user("ada"))
    reason = answer.json().get("reason") if "problem+json" in str(answer.headers["content-type"]) else None
    is_unseen = reason in UNSEEN_BY_SCHEMAS or not _has_a_documented_etag(case)
    case.validate_response(answer, excluded_checks=[positive_data_acceptance] if is_unseen else [])


def test_the_document_that_is_served_is_the_one_that_was_tried(edge_url: str) -> None:
    assert httpx.get(f"{edge_url}/api/openapi.json").json() == DOCUMENT


def _has_a_documented_etag(case: Any) -> bool:
    # Schemathesis shortens the values of headers, whatever their pattern.
    etag = (case.headers or {}).get("If-Match")
    return etag is None or re.fullmatch(etags.IF_MATCH_PATTERN, etag) is not None


def _name_afresh(case: Any) -> None:
    # Under a key that came before, another task is refused, whatever its schema.
    key = (case.headers or {}).get("Idempotency-Key")
    if key is not None and len(key) <= limits.IDEMPOTENCY_KEY_MAX and re.fullmatch(limits.IDEMPOTENCY_KEY_PATTERN, key):
        case.headers["Idempotency-Key"] = str(uuid4())
