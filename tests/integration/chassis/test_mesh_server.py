"""A mesh server, also as a process: its start, health, refusals and drain."""

import asyncio
import contextlib
import signal
import socket
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from chassis.grpc_api.channel_options import MAX_MESSAGE_BYTES
from chassis.grpc_api.client import service_config
from tests.support.chassis.mesh import Running, mesh_server
from tests.support.chassis.probe import SERVICE, Context, ask, finish, start
from tests.support.chassis.probe_process import TOKEN, answering, probe_process
from tests.support.chassis.probe_service import ACT_KEY
from tests.support.chassis.standard_services import health_of

KNOWN = (("x-consumer-username", "alice"), ("x-mesh-token", TOKEN))
LOG_FIELDS = {"time", "level", "service", "event", "method", "code", "duration", "request_id", "trace_id", "user"}
SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


async def test_on_sigterm_calls_in_flight_complete_streams_end_and_the_process_exits(tmp_path: Path) -> None:
    async with probe_process(tmp_path) as probe, answering(probe) as channel:
        watch = health_of(channel).Watch(HealthCheckRequest(service=SERVICE))
        assert await _next_status(watch, SERVING) == SERVING
        alive = health_of(channel).Watch(HealthCheckRequest())
        of_its_package = health_of(channel).Watch(HealthCheckRequest(service="probe.v1"))
        streams = [
            start(channel, method, timeout=None, metadata=(*KNOWN, (ACT_KEY, "wait 60")))
            for method in ("Generate", "Write", "Converse", "ConverseByWriting")
        ]
        for stream in streams:
            assert (await stream.read()).value == "hello"
        unary = start(channel, "Unary", metadata=(*KNOWN, (ACT_KEY, "wait 0.8")))
        assert await _next_status(alive, SERVING) == SERVING  # behind the call, on the same connection
        probe.process.send_signal(signal.SIGTERM)

        for health in (watch, alive, of_its_package):
            assert await _next_status(health, NOT_SERVING) == NOT_SERVING
        for stream in (watch, alive, of_its_package, *streams):
            assert await asyncio.wait_for(stream.code(), 5) is grpc.StatusCode.OK
        late = await ask(channel, metadata=KNOWN)
        assert late.code is grpc.StatusCode.UNAVAILABLE
        answer = await finish(unary, "Unary")
        assert (answer.code, answer.responses) == (grpc.StatusCode.OK, ["hello"])

        code, lines, stderr = await probe.finished(within=5)
        assert (code, stderr) == (0, "")
        assert [line["event"] for line in lines if line.get("level") in ("warning", "error")] == []
        assert lines[-1]["event"] == "drained"
        assert lines[-1]["all_finished"] is True


async def test_a_replica_that_will_stop_serves_its_clients_until_just_before(tmp_path: Path) -> None:
    async with probe_process(tmp_path, DRAIN_NOTICE_SECONDS="2.5") as probe, answering(probe) as channel:
        health = health_of(channel)
        ready, alive = (health.Watch(HealthCheckRequest(service=service)) for service in (SERVICE, "probe.v1"))
        for watch in (ready, alive):
            assert await _next_status(watch, SERVING) == SERVING
        options = [("grpc.service_config", service_config({}, package="probe.v1"))]
        async with grpc.aio.insecure_channel(probe.target, options=options) as client:
            assert (await ask(client, metadata=KNOWN)).code is grpc.StatusCode.OK
            probe.process.send_signal(signal.SIGTERM)
            assert await _next_status(ready, NOT_SERVING) == NOT_SERVING
            assert (await health.Check(HealthCheckRequest())).status == SERVING
            assert (await ask(client, metadata=KNOWN)).code is grpc.StatusCode.OK
            assert await _next_status(alive, NOT_SERVING) == NOT_SERVING
        code, _, stderr = await probe.finished(within=5)
        assert (code, stderr) == (0, "")


async def test_a_server_whose_log_has_lost_its_reader_serves_calls_and_stops(tmp_path: Path) -> None:
    async with probe_process(tmp_path) as probe, answering(probe) as channel:
        probe.stop_reading()
        for _ in range(3):
            assert (await ask(channel, metadata=KNOWN)).code is grpc.StatusCode.OK
        probe.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(probe.process.wait(), 10) == 0


async def test_a_call_beyond_the_drain_time_does_not_keep_the_process_alive(tmp_path: Path) -> None:
    async with probe_process(tmp_path, DRAIN_SECONDS="0.3") as probe, answering(probe) as channel:
        unary = start(channel, "Unary", metadata=(*KNOWN, (ACT_KEY, "wait 60")))
        reading = asyncio.create_task(finish(unary, "Unary"))
        await health_of(channel).Check(HealthCheckRequest(), timeout=5)  # behind the call, on the same connection
        probe.process.send_signal(signal.SIGTERM)
        answer = await reading
        assert answer.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        code, _, stderr = await probe.finished(within=5)
        assert (code, stderr) == (0, "")


@pytest.mark.parametrize("variable", ["PROBE_GRPC_PORT", "PROBE_METRICS_PORT"])
async def test_a_port_in_use_is_reported_and_ends_the_start(tmp_path: Path, variable: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        async with probe_process(tmp_path, **{variable: str(port)}) as probe:
            code, _, stderr = await probe.finished()
    assert code == 1
    assert f"127.0.0.1:{port}" in stderr
    assert "Traceback" not in stderr


async def test_each_call_is_one_line_of_json_for_any_metadata(tmp_path: Path) -> None:
    hostile: tuple[tuple[str, Any], ...] = (
        ("x-request-id", '"}{"level":"info'),
        ("traceparent", "00-\x7e-\x7e-01"),
        ("baggage", "=,;,\x7e" * 50),
        ("user-agent", "a\x7eb"),
        (ACT_KEY, "crash"),
    )
    async with probe_process(tmp_path) as probe, answering(probe) as channel:
        await ask(channel, metadata=(*KNOWN, ("x-request-id", "chosen-by-the-caller")))
        await ask(channel, metadata=(*KNOWN, *hostile), value="\x1b[31m\n\"'")
        await ask(channel, metadata=(("x-mesh-token", TOKEN), ("x-consumer-username", "no such user")))
        probe.process.send_signal(signal.SIGTERM)
        _, lines, _ = await probe.finished()
    calls = [line for line in lines if line["event"] == "rpc"]
    assert [set(call) for call in calls] == [LOG_FIELDS] * 3
    assert [call["code"] for call in calls] == ["OK", "INTERNAL", "UNAUTHENTICATED"]
    assert [call["user"] for call in calls] == ["alice", "alice", None]
    assert calls[0]["request_id"] == "chosen-by-the-caller"
    assert calls[0]["service"] == "probe"
    (crash,) = (line for line in lines if line["event"] == "unexpected error")
    assert (crash["request_id"], crash["trace_id"]) == (calls[1]["request_id"], calls[1]["trace_id"])
    assert crash["user"] == "alice"
    others = ["unexpected error", "listening", "ready", "stopping", "draining", "drained"]
    assert sorted(line["event"] for line in lines) == sorted([*others, "rpc", "rpc", "rpc"])


async def test_no_token_is_logged_even_when_a_call_fails_unexpectedly(tmp_path: Path) -> None:
    async with probe_process(tmp_path, LOG_LEVEL="debug") as probe, answering(probe) as channel:
        await ask(channel, metadata=(*KNOWN, (ACT_KEY, "crash")))
        probe.process.send_signal(signal.SIGTERM)
        _, lines, stderr = await probe.finished()
    assert any(line["event"] == "unexpected error" for line in lines)
    assert TOKEN not in str(lines) + stderr


async def test_the_metrics_have_every_family_of_py_grpc_prometheus(tmp_path: Path) -> None:
    async with probe_process(tmp_path) as probe, answering(probe) as channel, httpx.AsyncClient() as http:
        await ask(channel, metadata=KNOWN)
        page = (await http.get(f"http://127.0.0.1:{probe.metrics_port}/metrics")).text
    labels = f'{{grpc_method="Unary",grpc_service="{SERVICE}",grpc_type="UNARY"}} 1.0'
    assert f"grpc_server_started_total{labels}" in page
    assert f'grpc_server_handled_total{{grpc_code="OK",{labels[1:]}' in page
    assert f"grpc_server_msg_received_total{labels}" in page
    assert f"grpc_server_msg_sent_total{labels}" in page
    assert f"grpc_server_handling_seconds_count{labels}" in page
    for name in ("started", "handled", "msg_received", "msg_sent"):
        assert f"# TYPE grpc_client_{name}_total counter" in page
    assert "# TYPE grpc_client_handling_seconds histogram" in page


async def test_readiness_follows_the_check_in_health_and_metrics() -> None:
    is_away = asyncio.Event()

    def measured(mesh: Running) -> float | None:
        return mesh.registry.get_sample_value("grpc_service_ready", {"grpc_service": SERVICE})

    async def ready() -> None:
        if is_away.is_set():
            raise ConnectionError("the store is unavailable")

    async with mesh_server(ready=ready) as mesh:
        health = health_of(mesh.channel)
        watch = health.Watch(HealthCheckRequest(service=SERVICE))
        assert (await _next_status(watch, SERVING), measured(mesh)) == (SERVING, 1)
        is_away.set()
        assert (await _next_status(watch, NOT_SERVING), measured(mesh)) == (NOT_SERVING, 0)
        assert (await health.Check(HealthCheckRequest(), timeout=5)).status == SERVING
        is_away.clear()
        assert (await _next_status(watch, SERVING), measured(mesh)) == (SERVING, 1)
        watch.cancel()


async def test_the_process_is_live_before_it_is_ready() -> None:
    async def never_ready() -> None:
        raise ConnectionError("the store is unavailable")

    async with mesh_server(ready=never_ready) as mesh:
        health = health_of(mesh.channel)
        assert (await health.Check(HealthCheckRequest(), timeout=5)).status == SERVING
        assert (await health.Check(HealthCheckRequest(service="probe.v1"), timeout=5)).status == SERVING
        assert (await health.Check(HealthCheckRequest(service=SERVICE), timeout=5)).status == NOT_SERVING


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        pytest.param(StringValue(value="x" * MAX_MESSAGE_BYTES).SerializeToString(), "RESOURCE_EXHAUSTED", id="long"),
        pytest.param(b"\x0a\xff\xff\xff\xff", "INVALID_ARGUMENT", id="truncated"),
        pytest.param(b"\x0a\x02\xff\xfe", "INVALID_ARGUMENT", id="not UTF-8"),
        pytest.param(bytes(range(256)), "INVALID_ARGUMENT", id="random"),
    ],
)
@pytest.mark.parametrize("method", ["Unary", "Generate", "Collect", "Converse"])
async def test_a_request_that_cannot_be_decoded_is_refused_and_the_process_survives(
    request_bytes: bytes, code: str, method: str
) -> None:
    async with mesh_server() as mesh:
        options = (("grpc.max_send_message_length", -1),)
        async with grpc.aio.insecure_channel(mesh.target, options=options) as channel:
            shapes: dict[str, Any] = {
                "Unary": channel.unary_unary,
                "Generate": channel.unary_stream,
                "Collect": channel.stream_unary,
                "Converse": channel.stream_stream,
            }
            streams = method in ("Collect", "Converse")
            call = shapes[method](f"/{SERVICE}/{method}")([request_bytes] if streams else request_bytes, timeout=5)
            assert (await call.code()).name == code
        assert (await ask(mesh.channel)).code is grpc.StatusCode.OK


async def test_unknown_methods_are_unimplemented_and_leak_nothing() -> None:
    async with mesh_server() as mesh:
        before = len(list(mesh.registry.collect()))
        for number in range(20):
            for path in (f"/{SERVICE}/Made{number}", f"/made.v{number}.Up/Get", f"/{number}", "/"):
                call: Any = mesh.channel.unary_unary(path)
                assert await call(b"", timeout=5).code() is grpc.StatusCode.UNIMPLEMENTED
        samples = [sample for family in mesh.registry.collect() for sample in family.samples]
        assert len(list(mesh.registry.collect())) == before
        assert [sample for sample in samples if "grpc_method" in sample.labels] == []


@pytest.mark.parametrize("method", ["Generate", "Write"])
async def test_new_streams_end_with_ok_when_the_server_drains(method: str) -> None:
    begun: asyncio.Queue[None] = asyncio.Queue()

    async def write_for_ever(context: Context) -> None:
        while True:
            begun.put_nowait(None)
            await context.write(StringValue(value="more" * 1000))

    async with contextlib.AsyncExitStack() as clients:
        async with mesh_server(write_for_ever) as mesh:
            channel = await clients.enter_async_context(grpc.aio.insecure_channel(mesh.target))
            await channel.channel_ready()
            reading = [asyncio.create_task(ask(channel, method, timeout=None)) for _ in range(100)]
            await asyncio.wait_for(begun.get(), 5)
        answers = await asyncio.wait_for(asyncio.gather(*reading), 10)
    ended = {answer.code for answer in answers if answer.responses}
    assert ended == {grpc.StatusCode.OK}


async def _next_status(watch: Any, wanted: int) -> int:
    """Read from a Health.Watch until its status is `wanted` or it ends, at most ten seconds."""
    status = -1
    async with asyncio.timeout(10):
        while status != wanted and (response := await watch.read()) is not grpc.aio.EOF:
            status = response.status
    return status
