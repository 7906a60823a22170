"""Every expression of every dashboard and rule has data in a real Prometheus with a real mesh, or explains why not.

The mesh runs with load and with the fault of every drill: a slow store, an unavailable store, a stalled notification
service, an invalid event. The metrics of Kong and the exporters come from monitoring/samples/.
"""

import asyncio
import contextlib
import json
import re
import secrets
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from scripts.dashboards.__main__ import DASHBOARDS
from scripts.dashboards.grafana import FIRING
from scripts.drill.drills import DRILLS, Drill
from tests import ROOT
from tests.faults.harness.system import as_user
from tests.support.stack.prometheus import Prometheus, until
from tests.support.stack.samples import NAMES, page
from tests.support.stack.spans import SpanSink, span_sink
from tests.support.stack.watched import Watched, watched

_RULES = ROOT / "monitoring/prometheus/rules"
_WINDOW = "1m"
_WORDS = {"and", "or", "unless", "bool", "on", "ignoring", "by", "without"}
_FROM_PROMETHEUS = {"up", "ALERTS"}
_SEEN = {
    "slow store": "edge:http_request_duration_seconds:p95_5m > 0.5",
    "dead notifier": 'up{job="notify-svc"} == 0',
    "poison event": "max(dead_letters) > 0",
    "error burst": 'http_requests_total{status=~"5.."}',
}
"""For each drill, an expression that has data once Prometheus has seen the fault."""


@dataclass(frozen=True)
class Expression:
    """An expression of a dashboard or a rule, and its place."""

    place: str
    expr: str
    may_be_empty: str = ""

    @property
    def to_run(self) -> str:
        """The expression with all values of the dashboard variables selected."""
        return re.sub(r"\$(service|method)\b", ".+", self.expr).replace("$__rate_interval", _WINDOW)

    @property
    def names(self) -> set[str]:
        """The names of the metrics in the expression."""
        bare = re.sub(r'"[^"]*"', "", self.expr)
        bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|without) \([^)]*\)", "", bare)
        return set(re.findall(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", bare)) - _WORDS


def _rules() -> Iterator[dict[str, Any]]:
    for path in sorted(_RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def _expressions() -> Iterator[Expression]:
    for board in DASHBOARDS:
        for panel in board.panels:
            if panel.source == "prometheus":
                for query in panel.queries:
                    yield Expression(f"{board.title}: {panel.title}", query.expr, query.may_be_empty)
        for variable in board.variables:
            for asked in re.findall(r"label_values\((.*), \w+\)$", variable.query):
                yield Expression(f"{board.title}: values of {variable.name}", asked)
    yield Expression("Annotations: firing alerts", FIRING, "no alert fires")
    for rule in _rules():
        if "record" in rule:
            yield Expression(f"rule {rule['record']}", rule["expr"])
        else:
            # The drills and the promtool tests check when it is true. Here, everything that it compares must have data.
            yield Expression(f"alert {rule['alert']}", re.sub(r" (>|<|==) ", r" \1 bool ", rule["expr"]))


EXPRESSIONS = list(_expressions())


@pytest.mark.slow
async def test_every_expression_has_data_or_an_explanation_and_uses_only_existing_metrics(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    without_data, outcomes = [], Counter[tuple[str, str]]()
    async with watched(tmp_path) as running, _open_page(running):
        for drill in DRILLS.values():
            await asyncio.to_thread(_run_drill, running, drill)
        for each in EXPRESSIONS:
            outcome = await asyncio.to_thread(_outcome, running.prometheus, each)
            outcomes[each.place.partition(":")[0].partition(" ")[0], outcome] += 1
            if outcome == "no data":
                without_data.append(f"{each.place}: {each.to_run}")
        known = await _known_metrics(running)
    for line in _table(outcomes):
        record_property("monitoring", line)
    assert without_data == []
    assert {(each.place, name) for each in EXPRESSIONS for name in each.names - known} == set()


def _outcome(prometheus: Prometheus, each: Expression) -> str:
    """Return the source of an expression's data. Wait up to 15 s for the first data, or 5 s if it may be empty."""
    is_sample = any(name.startswith(NAMES) for name in each.names)
    try:
        until(lambda: prometheus.has_data(each.to_run), 5 if each.may_be_empty else 15, each.to_run)
    except AssertionError:
        return "allowed empty" if each.may_be_empty else "no data"
    return "from samples" if is_sample else "live"


def _table(outcomes: Counter[tuple[str, str]]) -> Iterator[str]:
    columns = ("live", "from samples", "allowed empty", "no data")
    panels = {board.title: sum(panel.source == "prometheus" for panel in board.panels) for board in DASHBOARDS}
    for place in dict.fromkeys(place for place, _ in outcomes):
        counts = ", ".join(f"{outcomes[place, column]} {column}" for column in columns if outcomes[place, column])
        shown = f"{panels[place]} panels, " if place in panels else ""
        yield f"expressions of {place}: {shown}{counts}"


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


def _run_drill(running: Watched, drill: Drill) -> None:
    """Run a drill until Prometheus has seen the fault."""
    stop = threading.Event()
    fault = threading.Thread(target=drill.run, args=(running.injector, stop))
    fault.start()
    try:
        until(lambda: running.prometheus.has_data(_SEEN[drill.name]), 60, f"Prometheus sees the {drill.name}")
    finally:
        stop.set()
        fault.join()


async def test_a_request_has_one_trace_through_the_queue_to_the_notification(
    tmp_path: Path,
) -> None:
    trace_id, kongs_span = secrets.token_hex(16), secrets.token_hex(8)
    with span_sink() as sink:
        async with watched(tmp_path, spans=sink.endpoint) as running:
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
        "here", 'sum by (a) (rate(b_total{c="d"}[1m])) / 2 > bool e:f or time() - max(g) unless 0 * h'
    )
    assert expression.names == {"b_total", "e:f", "g", "h"}
