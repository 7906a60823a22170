"""Every error reaches the client with its own status, regardless of its content."""

from typing import cast

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from chassis import errors
from chassis.errors import InvalidInput, NotFound, ServiceError, Violation
from chassis.grpc_api import error_mapping as statuses
from chassis.grpc_api.error_mapping import DETAILS_KEY, code_name
from tests.support.chassis.mesh import mesh_server
from tests.support.chassis.probe import METHODS, Answer, Context, ask

ERRORS = {
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated("NO_USER", "Who is calling?"),
    grpc.StatusCode.NOT_FOUND: NotFound("TASK_NOT_FOUND", "There is no such task."),
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists("NOT_DELETED", "The task is there."),
    grpc.StatusCode.ABORTED: errors.Conflict("ETAG_MISMATCH", "The task has changed."),
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable("STORE_AWAY", "The store is away."),
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded("TOO_LATE", "Time is up."),
    grpc.StatusCode.INTERNAL: errors.Internal("INTERNAL", "A defect."),
}


class TaskNotFound(NotFound):
    """A subclass of a known error, defined by a service."""


async def answer_to(error: ServiceError, method: str = "Unary") -> Answer:
    async def act(_context: Context) -> None:
        raise error

    async with mesh_server(act) as mesh:
        return await ask(mesh.channel, method)


def details(status: status_pb2.Status | None) -> tuple[list[error_details_pb2.ErrorInfo], list[Violation]]:
    """Return the ErrorInfos of a status and the violations of its BadRequests; fail on other details."""
    assert status is not None
    infos, violations = [], []
    for detail in status.details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            infos.append(info)
        else:
            assert detail.Unpack(bad)
            violations += [Violation(v.field, v.description) for v in bad.field_violations]
    return infos, violations


@pytest.mark.parametrize("code", ERRORS)
async def test_an_error_arrives_with_one_reason_and_its_message(code: grpc.StatusCode) -> None:
    error = ERRORS[code]
    answer = await answer_to(error)
    (info,), violations = details(answer.status)
    assert (answer.code, answer.message) == (code, error.message)
    assert (info.domain, info.reason, violations) == ("taskmesh", error.reason, [])


@pytest.mark.parametrize("method", METHODS)
async def test_bad_input_names_every_invalid_field_in_every_kind_of_rpc(method: str) -> None:
    given = [Violation("title", "is blank"), Violation("labels[2]", "is too long")]
    answer = await answer_to(InvalidInput(*given), method)
    (info,), violations = details(answer.status)
    assert (answer.code, info.reason, violations) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", given)


async def test_a_subclass_of_an_error_has_the_status_of_its_base_class() -> None:
    assert (await answer_to(TaskNotFound("TASK_NOT_FOUND", "none"))).code is grpc.StatusCode.NOT_FOUND


async def test_an_error_of_an_unknown_class_is_internal() -> None:
    assert (await answer_to(ServiceError("ODD", "odd"))).code is grpc.StatusCode.INTERNAL


@pytest.mark.parametrize("message", ["größe, 任务, 😀", "two\r\nlines", "100 %, %0a", "\x00 and \x1b[31m", ""])
async def test_a_message_arrives_as_it_was_written(message: str) -> None:
    answer = await answer_to(NotFound("TASK_NOT_FOUND", message))
    assert (answer.code, answer.message) == (grpc.StatusCode.NOT_FOUND, message)


@pytest.mark.parametrize("text", ["y" * 20_000, "é" * 20_000, "😀" * 5_000, "%" * 8_000, "\ud800" * 5_000])
async def test_an_error_that_is_too_long_or_cannot_be_encoded_is_truncated_and_keeps_its_status(text: str) -> None:
    answer = await answer_to(InvalidInput(*(Violation(text, text) for _ in range(100)), reason=text))
    assert answer.code is grpc.StatusCode.INVALID_ARGUMENT
    (info,), violations = details(answer.status)
    assert len(info.reason.encode()) <= 63
    assert answer.message.endswith("…")
    assert violations[-1].description == f"and {101 - len(violations)} more"


@pytest.mark.parametrize("text", ["y" * 20_000, "é" * 20_000])
async def test_the_longest_status_fits_the_buffer_of_a_gateway(text: str) -> None:
    sent: list[int] = []

    class Recorder:
        async def abort(self, _code: object, message: str, metadata: tuple[tuple[str, bytes]]) -> None:
            ((key, value),) = metadata
            percent_encoded = sum(1 if 32 <= byte < 127 else 3 for byte in message.encode())
            sent.append(percent_encoded + len(key) + len(value) * 4 // 3)

    error = InvalidInput(*(Violation(text, text) for _ in range(100)), reason=text)
    await statuses.abort(cast(Context, Recorder()), error)
    assert sent[0] < 4096


async def test_the_violations_of_a_typical_request_are_not_truncated() -> None:
    given = [Violation(f"labels[{number}]", "must have 1 to 50 characters and not be blank") for number in range(20)]
    _, violations = details((await answer_to(InvalidInput(*given))).status)
    assert violations == given


def test_a_code_has_the_same_name_as_enum_and_number() -> None:
    assert code_name(grpc.StatusCode.NOT_FOUND) == "NOT_FOUND"
    assert code_name(5) == "NOT_FOUND"
    assert code_name(None) == code_name(0) == "OK"
    assert code_name(99) == "UNKNOWN"
    assert DETAILS_KEY == "grpc-status-details-bin"
