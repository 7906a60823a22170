"""The counters of a service start at 0 for the status codes that its proto documents, and for no others."""

import pytest
from notify.v1 import events_pb2_grpc as notify_events_pb2_grpc
from prometheus_client import CollectorRegistry
from task.v1 import task_pb2_grpc

from chassis.grpc_api.telemetry import ServerMetrics
from tests.support.chassis.mesh import counted

_EVERY_METHOD = {"OK", "UNAUTHENTICATED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL"}
_SERVICES = {
    "task.v1.TaskService": task_pb2_grpc,
    "notify.v1.NotificationEventsService": notify_events_pb2_grpc,
}


@pytest.mark.parametrize(
    ("method", "documented"),
    [
        ("GetTask", {"NOT_FOUND"}),
        ("UpdateTask", {"INVALID_ARGUMENT", "NOT_FOUND", "ABORTED"}),
        ("WatchNotificationEvents", {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}),
    ],
)
def test_the_counters_of_documented_codes_start_at_zero(method: str, documented: set[str]) -> None:
    registry = CollectorRegistry()
    ServerMetrics(registry, _SERVICES)
    assert counted(registry, "grpc_server_handled_total", method) == dict.fromkeys(_EVERY_METHOD | documented, 0)
    assert counted(registry, "grpc_server_started_total", method) == {"": 0}
