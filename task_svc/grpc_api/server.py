"""The gRPC server: its services, and which of them need no user."""

import grpc
from opentelemetry import trace
from prometheus_client import CollectorRegistry
from task.v1 import events_pb2_grpc, task_pb2_grpc

from chassis.feed.feed import Feed
from chassis.grpc_api.server import MakeServer, MeshServer, ReadinessCheck
from task_svc.grpc_api import watch
from task_svc.grpc_api.servicer import TaskEventsServicer, TaskServicer
from task_svc.settings import TaskSettings
from task_svc.use_cases import Tasks

TASK_SERVICE = "task.v1.TaskService"
TASK_EVENTS_SERVICE = "task.v1.TaskEventsService"


def build(
    settings: TaskSettings,
    registry: CollectorRegistry,
    tracer: trace.Tracer,
    tasks: Tasks,
    feed: Feed[watch.Event],
    ready: ReadinessCheck,
    make_server: MakeServer = grpc.aio.server,
) -> MeshServer:
    """Return the server with all its services, not yet started."""
    server = MeshServer(
        settings,
        registry,
        tracer,
        services=(TASK_SERVICE, TASK_EVENTS_SERVICE),
        userless=(TASK_EVENTS_SERVICE,),
        ready=ready,
        make_server=make_server,
    )
    task_pb2_grpc.add_TaskServiceServicer_to_server(TaskServicer(tasks, feed), server.grpc)
    events_pb2_grpc.add_TaskEventsServiceServicer_to_server(TaskEventsServicer(tasks, feed), server.grpc)
    return server
