"""The mapping from gRPC statuses to HTTP."""

import json
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import AioRpcError, Metadata

from chassis.errors import InvalidInput, Violation
from chassis.grpc_api.error_mapping import DETAILS_KEY
from edge_api import grpc_errors, problems

TABLE = {
    "INVALID_ARGUMENT": 422,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 412,
    "RESOURCE_EXHAUSTED": 429,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


def failed(code: grpc.StatusCode, details: bytes | None = None) -> AioRpcError:
    trailing = Metadata((DETAILS_KEY, details)) if details is not None else Metadata()
    return AioRpcError(code, Metadata(), trailing, details="ipv4:10.0.0.7:50051: secret")


def status(code: grpc.StatusCode, reason: str, *fields: str, domain: str = "taskmesh") -> bytes:
    violations = [error_details_pb2.BadRequest.FieldViolation(field=field, description="is bad") for field in fields]
    details: list[Any] = [
        error_details_pb2.ErrorInfo(reason=reason, domain=domain),
        error_details_pb2.BadRequest(field_violations=violations),
    ]
    packed = [any_pb2.Any() for _ in details]
    for each, detail in zip(packed, details, strict=True):
        each.Pack(detail)
    message = status_pb2.Status(code=code.value[0], message="a message of a service", details=packed)
    return bytes(message.SerializeToString())


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_status_has_its_http_status_and_the_rest_is_500(code: grpc.StatusCode) -> None:
    problem = problems.of_grpc(failed(code))
    assert problem.status == TABLE.get(code.name, 500)
    assert "10.0.0.7" not in problem.detail
    assert problem.reason == (code.name if code.name in TABLE else "INTERNAL")


def test_reason_message_and_fields_of_a_service_are_kept_with_rest_names() -> None:
    code = grpc.StatusCode.INVALID_ARGUMENT
    fields = ("task.title", "task.labels[2]", "request_id", "page_size", "task.etag", "etag", "update_mask")
    problem = problems.of_grpc(failed(code, status(code, "INVALID_FIELD", *fields)))
    assert (problem.status, problem.reason, problem.detail) == (422, "INVALID_FIELD", "a message of a service")
    names = [violation.field for violation in problem.violations]
    assert names == ["title", "labels[2]", "Idempotency-Key", "page_size", "If-Match", "If-Match", "update_mask"]


def test_a_bad_page_token_is_400() -> None:
    code = grpc.StatusCode.INVALID_ARGUMENT
    assert problems.of_grpc(failed(code, status(code, "INVALID_PAGE_TOKEN", "page_token"))).status == 400


@pytest.mark.parametrize("details", [b"", b"\xff\xff", status(grpc.StatusCode.NOT_FOUND, "X", domain="elsewhere")])
def test_malformed_details_and_those_of_other_domains_are_not_shown(details: bytes) -> None:
    error = failed(grpc.StatusCode.NOT_FOUND, details)
    assert grpc_errors.read(error) is None
    assert problems.of_grpc(error).reason == "NOT_FOUND"


def test_an_internal_error_hides_the_message_of_the_service() -> None:
    code = grpc.StatusCode.INTERNAL
    problem = problems.of_grpc(failed(code, status(code, "BROKEN")))
    assert (problem.status, problem.reason) == (500, "INTERNAL")
    assert "a message of a service" not in problem.detail


def test_a_problem_has_its_media_type_and_fields() -> None:
    response = problems.of_service_error(InvalidInput(Violation("title", "must not be blank"))).response()
    body = json.loads(bytes(response.body))
    assert response.headers["content-type"] == "application/problem+json"
    assert body["violations"] == [{"field": "title", "description": "must not be blank"}]
    assert (body["type"], body["status"], body["reason"]) == ("about:blank", 422, "INVALID_FIELD")
