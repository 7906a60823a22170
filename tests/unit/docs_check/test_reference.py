"""The generated reference contains every RPC, path, metric and setting of the running code."""

import re

import pytest
from notify.v1 import dead_letters_pb2, notify_pb2
from notify.v1 import events_pb2 as notify_events_pb2
from prometheus_client import CollectorRegistry
from task.v1 import events_pb2, task_pb2

from chassis.feed.metrics import FeedMetrics
from chassis.grpc_api.client import ClientMetrics
from chassis.grpc_api.telemetry import ServerMetrics
from chassis.metrics import LoopMetrics
from edge_api import openapi
from edge_api.middleware.telemetry import HttpMetrics
from notify_svc.metrics import NotifyMetrics
from scripts.docs_check import reference, settings
from task_svc.relay_metrics import RelayMetrics
from tests import ROOT

_UNFED = re.compile(r"latency|completed|msg_\w+_handling")
_PROTOS = (task_pb2, events_pb2, notify_pb2, notify_events_pb2, dead_letters_pb2)


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return {path.stem: text for path, text in reference.pages(ROOT).items()}


def test_the_reference_contains_every_rpc(made: dict[str, str]) -> None:
    services = [service for proto in _PROTOS for service in proto.DESCRIPTOR.services_by_name.values()]
    for service in services:
        assert f"## {service.full_name}\n" in made["rpcs"]
        for method in service.methods:
            assert f"### {method.name}\n" in made["rpcs"]


def test_the_reference_contains_every_path(made: dict[str, str]) -> None:
    for path, operations in openapi.document()["paths"].items():
        for method in operations:
            assert f"## {method.upper()} {path}\n" in made["rest"]


def test_the_reference_contains_every_metric_with_its_labels(made: dict[str, str]) -> None:
    registry = CollectorRegistry()
    for metrics in (ServerMetrics, ClientMetrics, LoopMetrics, FeedMetrics, RelayMetrics, NotifyMetrics, HttpMetrics):
        metrics(registry)
    for family in registry.collect():
        if not _UNFED.search(family.name):
            assert f"| `{family.name}{'_total' if family.type == 'counter' else ''}` |" in made["metrics"], family.name
    assert "| `watchers_cut_total` | counter | `feed` |" in made["metrics"]
    assert (
        "`grpc_server_handled_total` | counter | `grpc_type`, `grpc_service`, `grpc_method`, `grpc_code` |"
        in made["metrics"]
    )


def test_the_reference_contains_every_setting_with_its_default(made: dict[str, str]) -> None:
    for setting in (each for section in settings.sections(ROOT).values() for each in section):
        default = f"`{setting.default}`" if setting.default else ""
        assert f"| `{setting.name}` | {default} |" in made["settings"]
