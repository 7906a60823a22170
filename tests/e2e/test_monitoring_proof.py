"""Every panel shows on a real Prometheus whether a real mesh is well, and every rule has data.

The mesh is first idle, then under load, then in three faults: a stalled notification service, an invalid event, an
unavailable store. The metrics of Kong and the exporters come from monitoring/samples/.
"""

import asyncio
import contextlib
import json
import re
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from scripts.drill.drills import DRILLS, Drill
from tests import ROOT
from tests.faults.harness.system import as_user
from tests.support.stack.dashboards import DASHBOARDS, panels, selectors_of_variables, with_all_selected
from tests.support.stack.panel_checks import PanelChecks
from tests.support.stack.prometheus import Prometheus, until
from tests.support.stack.samples import NAMES, page
from tests.support.stack.spans import SpanSink, span_sink
from tests.support.stack.watched import Watched, load, watched

_RULES = ROOT / "monitoring/prometheus/rules"
_WORDS = {"and", "or", "unless", "bool", "on", "ignoring", "by", "without", "start", "end"}
_FROM_PROMETHEUS = {"up", "ALERTS"}
_IDLE = "count(up == 1) == 6 and min(count_over_time(process_cpu_seconds_total[1m])) >= 3"
_LOADED = "edge:http_request_duration_seconds:p95_5m >= 0 and sum(rate(notifications_total[1m])) > 0"
_FAULTS = {
    "dead notifier": "time() - max(max_over_time(stream_last_read_timestamp_seconds[1m])) > 4",
    "poison event": "sum(rate(dead_lettered_total[1m])) > 0",  # although it is the first dead letter
    "error burst": "edge:http_errors:ratio_rate5m > 0.005",
}
"""For each drill, an expression that has data once Prometheus has seen the fault."""


@dataclass(frozen=True)
class Expression:
    """An expression of a dashboard or a rule, and its place."""

    place: str
    expr: str

    @property
    def names(self) -> set[str]:
        """The names of the metrics in the expression."""
        bare = re.sub(r'"[^"]*"', "", self.expr)
        bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|without) \([^)]*\)", "", bare)
        return set(re.findall(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", bare)) - _WORDS


def _panels() -> list[PanelChecks]:
    return [
        PanelChecks(f"{DASHBOARDS[name]['title']}: {panel['title']}", panel)
        for name in DASHBOARDS
        for panel in panels(name, "prometheus")
    ]


def _rules() -> Iterator[dict[str, Any]]:
    for path in sorted(_RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def _others() -> Iterator[Expression]:
    """Yield the expressions that are not in panels."""
    for name, board in DASHBOARDS.items():
        yield from (Expression(f"{name}: values of a variable", each) for each in selectors_of_variables(name))
        yield from (Expression(f"{name}: annotations", each["expr"]) for each in board["annotations"]["list"])
    for rule in _rules():
        if "record" in rule:
            yield Expression(f"rule {rule['record']}", rule["expr"])
        else:
            # The drills and the promtool tests check when it is true. Here, everything that it compares must have data.
            yield Expression(f"alert {rule['alert']}", re.sub(r" (>|<|==) ", r" \1 bool ", rule["expr"]))


@pytest.mark.slow
async def test_every_panel_is_readable_while_the_mesh_is_idle_under_load_and_in_faults(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    shown, problems, others = _panels(), list[str](), list(_others())
    async with watched(tmp_path) as running:
        prometheus = running.prometheus

        def look(phase: str, seen: str, begun: float) -> None:
            until(lambda: prometheus.has_data(seen), 60, f"Prometheus sees the mesh: {phase}")
            problems.extend(problem for panel in shown for problem in panel.problems(prometheus, phase, begun))

        await asyncio.to_thread(look, "idle", _IDLE, time.time())
        async with load(running.mesh), _open_page(running):
            await asyncio.to_thread(look, "load", _LOADED, time.time())
            for drill in (drill for drill in DRILLS.values() if drill.name in _FAULTS):
                with _fault(running, drill):
                    await asyncio.to_thread(look, drill.name, _FAULTS[drill.name], time.time())
            for each in others:
                if not each.expr.startswith("ALERTS"):  # empty while no alert fires
                    await asyncio.to_thread(
                        until, partial(prometheus.has_data, with_all_selected(each.expr)), 15, each.place
                    )
            known = await _known_metrics(running)
    for panel in shown:
        record_property("monitoring", f"{panel.place}: {'; '.join(panel.shown)}")
    assert problems == []
    assert [(panel.place, panel.without_data) for panel in shown if panel.without_data] == []
    in_panels = [Expression(panel.place, target["expr"]) for panel in shown for target in panel.model["targets"]]
    assert {(each.place, name) for each in (*in_panels, *others) for name in each.names - known} == set()


@contextlib.contextmanager
def _fault(running: Watched, drill: Drill) -> Iterator[None]:
    """Run a drill while the block runs."""
    stop = threading.Event()
    fault = threading.Thread(target=drill.run, args=(running.injector, stop))
    fault.start()
    try:
        yield
    finally:
        stop.set()
        fault.join()


async def _known_metrics(running: Watched) -> set[str]:
    """Return the names of the recorded metrics, the metrics in the samples, and the metrics that the mesh exports."""
    known = _FROM_PROMETHEUS | {rule["record"] for rule in _rules() if "record" in rule}
    for name in NAMES:
        known |= {sample.name for sample in page(name)}
    async with httpx.AsyncClient() as client:
        for port in running.mesh.metrics_ports.values():
            accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
            answer = await client.get(f"http://127.0.0.1:{port}/metrics", headers=accept)
            for family in text_string_to_metric_families(answer.text):  # type: ignore[no-untyped-call]
                known |= {f"{family.name}{suffix}" for suffix in _SUFFIXES[family.type]}
    return known


_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "info": ("_info",), "histogram": ("_bucket", "_sum", "_count")}


@asynccontextmanager
async def _open_page(running: Watched) -> AsyncIterator[None]:
    """Keep an event stream open like a page, and reconnect when it ends."""

    async def watch() -> None:
        async with httpx.AsyncClient(base_url=running.mesh.edge_url, headers=as_user("load-1"), timeout=30) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    async with client.stream("GET", "/api/v1/events") as events:
                        async for _ in events.aiter_bytes():
                            pass
                await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_a_request_has_one_trace_through_the_queue_to_the_notification(
    tmp_path: Path,
) -> None:
    trace_id, kongs_span = secrets.token_hex(16), secrets.token_hex(8)
    with span_sink() as sink:
        async with watched(tmp_path, spans=sink.endpoint) as running, load(running.mesh):
            headers = {**as_user("ann"), "traceparent": f"00-{trace_id}-{kongs_span}-01"}
            async with httpx.AsyncClient(base_url=running.mesh.edge_url, headers=headers) as client:
                assert (await client.post("/api/v1/tasks", json={"title": "Follow me"})).status_code == 201

            def is_whole() -> bool:
                return {"edge_api", "task_svc", "notify_svc"} <= {span.service for span in sink.of(trace_id)}

            await asyncio.to_thread(until, is_whole, 30, "spans of all three")
            wanted = {"POST /api/v1/tasks", "task.v1.TaskService/CreateTask", "deliver console"}
            assert wanted <= {span.name for span in sink.of(trace_id)}
            for process in (running.mesh.edge, running.mesh.task, running.mesh.notify):
                lines = process.output().splitlines()
                assert any(trace_id == json.loads(line).get("trace_id") for line in lines), process.module
            for latency in _LATENCIES:
                await asyncio.to_thread(_leads_to_a_trace, running.prometheus, sink, latency)


_LATENCIES = (
    "http_request_duration_seconds_bucket",
    "grpc_server_handling_seconds_bucket",
    "grpc_client_handling_seconds_bucket",
    "notification_delivery_seconds_bucket",
)


def _leads_to_a_trace(prometheus: Prometheus, sink: SpanSink, latency: str) -> None:
    def leads() -> bool:
        return bool({span.trace_id for span in sink.spans} & set(prometheus.exemplars(latency)))

    until(leads, 30, f"an exemplar of {latency} names a trace")


def test_metric_names_are_found_in_an_expression() -> None:
    expression = Expression(
        "here", 'sum by (a) (rate(b_total{c="d"}[1m])) / 2 > bool e:f or time() - max(g @ end()) unless 0 * h'
    )
    assert expression.names == {"b_total", "e:f", "g", "h"}
