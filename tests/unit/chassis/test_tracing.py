"""Which calls have a span. A collector that does not respond cannot delay the end of a process."""

import socket
import threading
from contextlib import closing

import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest

from chassis import tracing
from chassis.tracing import Tracing
from tests.support.chassis.mesh import mesh_server
from tests.support.chassis.standard_services import health_of
from tests.support.stack.spans import span_sink


async def test_a_health_check_has_a_span_and_watching_the_health_has_none() -> None:
    with span_sink() as sink, closing(Tracing("probe", sink.endpoint)) as process:
        async with mesh_server(tracing=process) as mesh:
            watch = health_of(mesh.channel).Watch(HealthCheckRequest())
            await watch.read()
            watch.cancel()
            await health_of(mesh.channel).Check(HealthCheckRequest())
        process.close()
        assert [span.name for span in sink.spans] == ["grpc.health.v1.Health/Check"]


@pytest.mark.parametrize("listens", [True, False], ids=["hangs", "refuses connections"])
def test_close_ends_without_a_response_from_the_collector(monkeypatch: pytest.MonkeyPatch, listens: bool) -> None:
    monkeypatch.setattr(tracing, "CLOSE_SECONDS", 0.1)
    with socket.socket() as collector:
        collector.bind(("127.0.0.1", 0))
        if listens:
            collector.listen()
        process = Tracing("probe", f"http://127.0.0.1:{collector.getsockname()[1]}")
        for _ in range(1_000):  # two batches
            process.tracer.start_span("work").end()
        closing = threading.Thread(target=process.close, daemon=True)
        closing.start()
        closing.join(10)  # without the limit, it takes 14 to 20 s
        assert not closing.is_alive()
