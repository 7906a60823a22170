"""Calls within the mesh: their metadata, deadlines and retries."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
import pytest
from prometheus_client import CollectorRegistry

from chassis import identity
from chassis.errors import Conflict, NotFound, ServiceError, Unavailable
from chassis.grpc_api import deadlines
from chassis.grpc_api.client import ClientInterceptor, ClientMetrics, open_channel, service_config
from chassis.grpc_api.reopening_channel import ReopeningChannel
from chassis.identity import MeshTokens
from chassis.tracing import Tracing
from tests.support.chassis.mesh import counted, mesh_server
from tests.support.chassis.probe import SERVICE, Act, Answer, Context, ask, finish, start
from tests.support.eventually import eventually
from tests.support.holding import until
from tests.support.name_server import name_server
from tests.support.ports import free_port

TOKENS = ("the-newer-of-the-two-tokens", "the-older-of-the-two-tokens")
Retried = Mapping[str, Sequence[str]]
RETRIED: Retried = {SERVICE: ("Unary",)}


class Client:
    """A channel to one server, and the metrics of its calls."""

    def __init__(self, target: str, retried: Retried, default_seconds: float) -> None:
        self.registry = CollectorRegistry()
        self.tracing = Tracing("client", None)
        tokens = MeshTokens(TOKENS)
        calls = ClientInterceptor(ClientMetrics(self.registry), self.tracing.tracer, tokens, default_seconds)
        self.channel = open_channel(target, service_config(retried, package="probe.v1"), calls)

    async def ask(self, timeout: float | None = None) -> Answer:
        return await ask(self.channel, timeout=timeout)

    @property
    def outcomes(self) -> dict[str, float]:
        return counted(self.registry, "grpc_client_handled_total", "Unary")

    @property
    def started(self) -> float:
        return counted(self.registry, "grpc_client_started_total", "Unary").get("", 0)


@asynccontextmanager
async def mesh_client(target: str, retried: Retried | None = None, default_seconds: float = 5) -> AsyncIterator[Client]:
    client = Client(target, {} if retried is None else retried, default_seconds)
    async with client.channel:
        yield client


class Failing:
    """Fails the first `times` calls with `error`, and counts all calls."""

    def __init__(self, error: ServiceError, times: int = 1_000_000) -> None:
        self._error = error
        self._times = times
        self.calls = 0

    async def __call__(self, _context: Context) -> None:
        self.calls += 1
        if self.calls <= self._times:
            raise self._error

    def recover(self) -> None:
        """Stop failing."""
        self._times = 0


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "mesh-token"
    path.write_text("\n".join(TOKENS))
    return path


async def test_a_call_carries_token_user_request_id_and_trace(token_file: Path) -> None:
    seen: dict[str, str | bytes] = {}

    async def look(context: Context) -> None:
        seen.update(context.invocation_metadata() or ())

    async with mesh_server(look, token_file=token_file, userless=False) as mesh, mesh_client(mesh.target) as client:
        identity.set_user("alice")
        request_id = identity.set_request_id("request-of-alice")
        with client.tracing.tracer.start_as_current_span("outer") as span:
            answer = await client.ask()
        assert answer.code is grpc.StatusCode.OK
        assert seen[identity.TOKEN_KEY] == TOKENS[0]
        assert seen[identity.USER_KEY] == "alice"
        assert seen[identity.REQUEST_ID_KEY] == request_id
        assert f"{span.get_span_context().trace_id:032x}" in str(seen["traceparent"])


async def test_a_call_to_an_unavailable_service_is_retried_if_the_config_allows_it() -> None:
    failing = Failing(Unavailable("STORE_AWAY", "away"), times=2)
    async with mesh_server(failing) as mesh, mesh_client(mesh.target, RETRIED) as client:
        assert (await client.ask()).code is grpc.StatusCode.OK
        assert failing.calls == 3
        assert client.outcomes == {"OK": 1}


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        pytest.param(Unavailable("STORE_AWAY", "away"), {SERVICE: ("Collect",)}, id="not in the config"),
        pytest.param(Conflict("ETAG_MISMATCH", "changed"), RETRIED, id="ABORTED"),
        pytest.param(NotFound("TASK_NOT_FOUND", "none"), RETRIED, id="NOT_FOUND"),
    ],
)
async def test_no_other_call_is_retried(error: ServiceError, retried: Retried) -> None:
    failing = Failing(error)
    async with mesh_server(failing) as mesh, mesh_client(mesh.target, retried) as client:
        await client.ask()
        assert failing.calls == 1


async def test_retries_end_with_the_deadline() -> None:
    failing = Failing(Unavailable("STORE_AWAY", "away"), times=1)

    async def fail_then_hang(context: Context) -> None:
        await failing(context)
        await asyncio.sleep(5)

    async with mesh_server(fail_then_hang) as mesh, mesh_client(mesh.target, RETRIED) as client:
        assert (await client.ask(timeout=1)).code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert failing.calls == 2


async def test_retries_stop_while_all_calls_fail_and_later_calls_succeed() -> None:
    failing = Failing(Unavailable("STORE_AWAY", "away"))
    async with mesh_server(failing) as mesh, mesh_client(mesh.target, RETRIED) as client:
        answers = await asyncio.gather(*(client.ask() for _ in range(300)))
        assert {answer.code for answer in answers} == {grpc.StatusCode.UNAVAILABLE}
        assert 300 <= failing.calls <= 600
        failing.recover()
        assert {(await client.ask()).code for _ in range(20)} == {grpc.StatusCode.OK}


async def test_a_service_that_recovers_is_found_within_five_seconds() -> None:
    port = free_port()
    async with mesh_client(f"127.0.0.1:{port}") as client:
        for _ in range(2):
            async with mesh_server(port=port):
                begun = time.monotonic()
                while (await client.ask(timeout=1)).code is not grpc.StatusCode.OK:
                    assert time.monotonic() - begun < 5
            assert (await client.ask(timeout=1)).code is grpc.StatusCode.UNAVAILABLE


async def test_a_name_that_did_not_exist_for_long_is_found_within_seconds() -> None:
    async with mesh_server() as mesh, name_server() as names:
        target = f"dns://127.0.0.1:{names.port}/probe.test:{mesh.target.rpartition(':')[2]}"
        async with ReopeningChannel(lambda: grpc.aio.insecure_channel(target), reopen_seconds=0.2) as channel:

            async def has_often_looked() -> bool:
                assert (await ask(channel)).code is grpc.StatusCode.UNAVAILABLE
                return names.queries >= 16  # two for each attempt; gRPC alone makes the eighth after 43 s

            await eventually(has_often_looked, within=10)
            names.addresses["probe.test"] = "127.0.0.1"

            async def is_found() -> bool:
                return (await ask(channel)).code is grpc.StatusCode.OK

            await eventually(is_found, within=5)


async def test_a_call_in_progress_succeeds_although_its_channel_is_replaced() -> None:
    entered, release = asyncio.Event(), asyncio.Event()
    opened: list[grpc.aio.Channel] = []

    async def hold_the_first(_context: Context) -> None:
        if not entered.is_set():
            entered.set()
            await release.wait()

    async with AsyncExitStack() as stack:
        mesh = await stack.enter_async_context(mesh_server(hold_the_first, drain_seconds=10))

        def open_another() -> grpc.aio.Channel:
            opened.append(grpc.aio.insecure_channel(mesh.target))
            return opened[-1]

        async with ReopeningChannel(open_another, reopen_seconds=0.1) as channel:
            call = start(channel, "Unary")
            await entered.wait()
            draining = asyncio.create_task(stack.aclose())

            async def was_replaced() -> bool:
                # A server that stops at the same moment may leave a call without an answer until its deadline.
                await ask(channel, timeout=0.5)
                return len(opened) > 1

            await eventually(was_replaced)
            release.set()
            assert (await finish(call, "Unary")).code is grpc.StatusCode.OK
            await draining


async def test_calls_are_distributed_over_the_available_replicas() -> None:
    async with mesh_server() as one, AsyncExitStack() as stack:
        other = await stack.enter_async_context(mesh_server())
        async with mesh_client(f"ipv4:{one.target},{other.target}") as client:

            async def both_were_asked() -> bool:
                assert (await client.ask()).code is grpc.StatusCode.OK
                return all(mesh.outcomes("Unary").get("OK", 0) >= 5 for mesh in (one, other))

            await eventually(both_were_asked)

            await stack.aclose()
            for _ in range(10):
                assert (await client.ask()).code is grpc.StatusCode.OK


async def _time_left(wanted: float | None, remaining: float | None, default: float = 5) -> float | None:
    """Return the remaining time that the server sees, for a timeout and the remaining time of the request."""
    seen: list[float | None] = []

    async def look(context: Context) -> None:
        seen.append(context.time_remaining())

    async with mesh_server(look) as mesh, mesh_client(mesh.target, default_seconds=default) as client:
        if remaining is not None:
            deadlines.set_remaining(remaining)
        await client.ask(timeout=wanted)
    return seen[0] if seen else None


@pytest.mark.parametrize(
    ("wanted", "remaining", "most"),
    [
        pytest.param(None, None, 5.0, id="default"),
        pytest.param(2.0, None, 2.0, id="own timeout"),
        pytest.param(8.0, 3.0, 3.0, id="limited by the request"),
        pytest.param(None, 3.0, 3.0, id="default limited by the request"),
        pytest.param(1.5, 3.0, 1.5, id="shorter than the request"),
    ],
)
async def test_a_call_gets_the_shorter_of_its_own_timeout_and_the_remaining_time(
    wanted: float | None, remaining: float | None, most: float
) -> None:
    left = await _time_left(wanted, remaining)
    assert left is not None
    assert most - 1 < left <= most * 1.04 + 0.01  # grpc rounds deadlines


async def test_a_call_whose_request_has_no_time_left_fails_at_once() -> None:
    async with mesh_server(lambda _context: asyncio.sleep(5)) as mesh, mesh_client(mesh.target) as client:
        deadlines.set_remaining(-1.0)
        begun = time.monotonic()
        assert (await client.ask()).code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - begun < 3


async def test_an_outgoing_call_has_the_deadline_of_the_incoming_call() -> None:
    left: list[float | None] = []

    async def look(context: Context) -> None:
        left.append(context.time_remaining())

    async with mesh_server(look) as below, mesh_client(below.target) as client:

        async def pass_on(_context: Context) -> None:
            assert (await client.ask()).code is grpc.StatusCode.OK

        async with mesh_server(pass_on) as above:
            assert (await ask(above.channel, timeout=2)).code is grpc.StatusCode.OK
    assert left[0] is not None
    assert 1 < left[0] <= 2.1


OUTCOMES: dict[str, tuple[Act, float]] = {
    "NOT_FOUND": (Failing(NotFound("TASK_NOT_FOUND", "none")), 5),
    "DEADLINE_EXCEEDED": (lambda _context: asyncio.sleep(5), 0.1),
}


@pytest.mark.parametrize("code", OUTCOMES)
async def test_a_failed_call_is_counted_once_under_its_code(code: str) -> None:
    act, timeout = OUTCOMES[code]
    async with mesh_server(act) as mesh, mesh_client(mesh.target) as client:
        assert (await client.ask(timeout=timeout)).code.name == code
        assert (client.started, client.outcomes) == (1, {code: 1})


async def test_a_call_without_a_server_is_counted_once_as_unavailable() -> None:
    async with mesh_client(f"127.0.0.1:{free_port()}") as client:
        assert (await client.ask()).code is grpc.StatusCode.UNAVAILABLE
        assert (client.started, client.outcomes) == (1, {"UNAVAILABLE": 1})


async def test_a_cancelled_call_is_counted_once_and_also_ends_at_the_server() -> None:
    entered = asyncio.Event()

    async def wait(_context: Context) -> None:
        entered.set()
        await asyncio.Event().wait()

    async with mesh_server(wait) as mesh, mesh_client(mesh.target) as client:
        waiting = asyncio.create_task(client.ask(timeout=None))
        await asyncio.wait_for(entered.wait(), 5)
        waiting.cancel()
        await asyncio.wait((waiting,), timeout=5)
        await until(lambda: client.outcomes == {"CANCELLED": 1} and mesh.in_flight() == 0)
        assert client.started == 1
        assert mesh.outcomes("Unary") == {"CANCELLED": 1}
