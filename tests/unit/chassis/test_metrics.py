"""Every outcome of every kind of RPC is counted once, under its own code."""

import asyncio
import gc

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from chassis import errors
from tests.support.chassis.mesh import mesh_server
from tests.support.chassis.probe import METHODS, UNARY_RESPONSES, Act, Context, ask, do_nothing, finish, start
from tests.support.holding import until

INTERNALS = "the password is swordfish"


def raising(error: BaseException) -> Act:
    async def act(_context: Context) -> None:
        raise error

    return act


async def abort(context: Context) -> None:
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")


async def set_code(context: Context) -> None:
    context.set_code(grpc.StatusCode.DATA_LOSS)


async def wait_for_ever(_context: Context) -> None:
    await asyncio.Event().wait()


OUTCOMES: dict[str, tuple[Act, str]] = {
    "success": (do_nothing, "OK"),
    "InvalidInput": (raising(errors.InvalidInput(errors.Violation("title", "is blank"))), "INVALID_ARGUMENT"),
    "Unauthenticated": (raising(errors.Unauthenticated("NO_USER", "who?")), "UNAUTHENTICATED"),
    "NotFound": (raising(errors.NotFound("TASK_NOT_FOUND", "no")), "NOT_FOUND"),
    "AlreadyExists": (raising(errors.AlreadyExists("NOT_DELETED", "no")), "ALREADY_EXISTS"),
    "Conflict": (raising(errors.Conflict("ETAG_MISMATCH", "no")), "ABORTED"),
    "Unavailable": (raising(errors.Unavailable("STORE_AWAY", "no")), "UNAVAILABLE"),
    "DeadlineExceeded": (raising(errors.DeadlineExceeded("TOO_LATE", "no")), "DEADLINE_EXCEEDED"),
    "Internal": (raising(errors.Internal("INTERNAL", "no")), "INTERNAL"),
    "unexpected": (raising(RuntimeError(INTERNALS)), "INTERNAL"),
    "a timeout inside the call": (raising(TimeoutError(INTERNALS)), "INTERNAL"),
    "a cancellation inside the call": (raising(asyncio.CancelledError()), "UNAVAILABLE"),
    "abort": (abort, "PERMISSION_DENIED"),
    "set_code": (set_code, "DATA_LOSS"),
}


@pytest.mark.parametrize("timeout", [10, None], ids=["with a deadline", "without a deadline"])
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_an_outcome_is_counted_once_under_the_code_that_the_client_sees(
    outcome: str, timeout: float | None
) -> None:
    act, code = OUTCOMES[outcome]
    async with mesh_server(act) as mesh:
        answers = [await ask(mesh.channel, method, timeout=timeout) for method in METHODS]
        assert [answer.code.name for answer in answers] == [code] * len(METHODS)
        await until(lambda: mesh.in_flight() == 0)
        assert [mesh.outcomes(method) for method in METHODS] == [{code: 1}] * len(METHODS)


async def test_an_unexpected_error_reveals_nothing_to_the_client() -> None:
    async with mesh_server(raising(RuntimeError(INTERNALS))) as mesh:
        for method in METHODS:
            answer = await ask(mesh.channel, method)
            assert answer.status is not None
            assert INTERNALS not in answer.message + str(answer.status)
            assert "RuntimeError" not in answer.message + str(answer.status)


async def test_calls_beyond_the_deadline_of_the_client_are_counted_as_deadline_exceeded() -> None:
    timeouts = [0.4 + 0.05 * number for number in range(8)]
    async with mesh_server(wait_for_ever) as mesh:
        await mesh.channel.channel_ready()
        calls = [ask(mesh.channel, method, timeout=timeout) for method in METHODS for timeout in timeouts]
        assert {answer.code for answer in await asyncio.gather(*calls)} == {grpc.StatusCode.DEADLINE_EXCEEDED}
        await until(lambda: mesh.in_flight() == 0)
        # On a busy machine, some calls end before the server has received them.
        assert [set(mesh.outcomes(method)) for method in METHODS] == [{"DEADLINE_EXCEEDED"}] * len(METHODS)


@pytest.mark.parametrize("method", UNARY_RESPONSES)
async def test_a_call_beyond_the_default_deadline_is_counted_as_deadline_exceeded(method: str) -> None:
    async with mesh_server(wait_for_ever, default_deadline=0.1) as mesh:
        answer = await ask(mesh.channel, method, timeout=None)
        assert answer.code is grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: mesh.in_flight() == 0)
        assert mesh.outcomes(method) == {"DEADLINE_EXCEEDED": 1}


@pytest.mark.parametrize("method", METHODS)
async def test_a_call_that_its_client_cancels_is_counted_as_cancelled(method: str) -> None:
    entered = asyncio.Event()

    async def enter_and_wait(context: Context) -> None:
        entered.set()
        await wait_for_ever(context)

    async with mesh_server(enter_and_wait) as mesh:
        call = start(mesh.channel, method)
        reading = asyncio.create_task(finish(call, method))
        await asyncio.wait_for(entered.wait(), 5)
        call.cancel()
        await asyncio.wait((reading,), timeout=5)
        await until(lambda: mesh.in_flight() == 0)
        assert mesh.outcomes(method) == {"CANCELLED": 1}


@pytest.mark.parametrize("method", ["Generate", "Write", "Converse", "ConverseByWriting"])
async def test_a_client_that_disconnects_from_a_busy_stream_is_counted_as_cancelled_without_an_error(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def write_for_ever(context: Context) -> None:
        while True:
            await context.write(StringValue(value="more" * 250))

    async def leave(number: int) -> None:
        call = start(mesh.channel, method)
        for _ in range(number):
            await call.read()
        call.cancel()

    async with mesh_server(write_for_ever) as mesh:
        await asyncio.gather(*(leave(number) for number in range(1, 41)))
        await until(lambda: mesh.in_flight() == 0)
        assert mesh.outcomes(method) == {"CANCELLED": 40}
    gc.collect()  # an error that was never retrieved is logged when its task is freed
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
