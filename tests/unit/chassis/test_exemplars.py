"""A latency in /metrics has the id of its trace as an exemplar."""

from contextlib import closing

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from chassis.metrics import new_registry
from chassis.tracing import Tracing
from tests.support.chassis.mesh import mesh_server
from tests.support.chassis.probe import SERVICE, ask
from tests.support.holding import until
from tests.support.stack.spans import span_sink

HANDLING = "grpc_server_handling_seconds"


def openmetrics(registry: CollectorRegistry) -> str:
    page: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return page.decode()


def exemplars(registry: CollectorRegistry) -> set[str]:
    """Return the trace ids in the exemplars of the probe's latencies."""
    return {
        sample.exemplar.labels["trace_id"]
        for family in text_string_to_metric_families(openmetrics(registry))  # type: ignore[no-untyped-call]
        if family.name == HANDLING
        for sample in family.samples
        if sample.exemplar is not None and sample.labels["grpc_service"] == SERVICE
    }


async def test_a_latency_has_the_id_of_the_exported_trace() -> None:
    with span_sink() as sink, closing(Tracing("probe", sink.endpoint)) as tracing:
        async with mesh_server(tracing=tracing) as mesh:
            await ask(mesh.channel)
            await until(lambda: mesh.in_flight() == 0)
        tracing.close()
        assert exemplars(mesh.registry) == {span.trace_id for span in sink.spans if SERVICE in span.name}


async def test_without_recorded_traces_there_are_no_exemplars() -> None:
    async with mesh_server() as mesh:
        await ask(mesh.channel)
        await until(lambda: mesh.in_flight() == 0)
    assert exemplars(mesh.registry) == set()


def test_a_metric_has_no_created_series() -> None:
    registry = new_registry()
    Counter("done_total", "What was done.", registry=registry).inc()
    Histogram("lasted_seconds", "How long it took.", registry=registry).observe(1)
    assert "_created" not in openmetrics(registry)
