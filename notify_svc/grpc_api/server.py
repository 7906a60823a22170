"""The gRPC server: its services, and which of them need no user."""

import grpc
from notify.v1 import dead_letters_pb2_grpc, events_pb2_grpc, notify_pb2_grpc
from opentelemetry import trace
from prometheus_client import CollectorRegistry

from chassis.feed.feed import Feed
from chassis.grpc_api.server import MakeServer, MeshServer, ReadinessCheck
from notify_svc.grpc_api import watch
from notify_svc.grpc_api.dead_letter_servicer import DeadLetterServicer
from notify_svc.grpc_api.servicer import NotificationEventsServicer, NotificationServicer
from notify_svc.settings import NotifySettings
from notify_svc.storage.dead_letter_admin import DeadLetterAdmin
from notify_svc.storage.inbox import Inbox

NOTIFICATION_SERVICE = "notify.v1.NotificationService"
NOTIFICATION_EVENTS_SERVICE = "notify.v1.NotificationEventsService"
DEAD_LETTER_SERVICE = "notify.v1.DeadLetterService"


def build(
    settings: NotifySettings,
    registry: CollectorRegistry,
    tracer: trace.Tracer,
    inbox: Inbox,
    feed: Feed[watch.Notification],
    dead_letters: DeadLetterAdmin,
    ready: ReadinessCheck,
    make_server: MakeServer = grpc.aio.server,
) -> MeshServer:
    """Return the server with all its services, not yet started."""
    server = MeshServer(
        settings,
        registry,
        tracer,
        services=(NOTIFICATION_SERVICE, NOTIFICATION_EVENTS_SERVICE, DEAD_LETTER_SERVICE),
        userless=(NOTIFICATION_EVENTS_SERVICE, DEAD_LETTER_SERVICE),
        ready=ready,
        make_server=make_server,
    )
    users = NotificationServicer(inbox, feed)
    notify_pb2_grpc.add_NotificationServiceServicer_to_server(users, server.grpc)
    mesh = NotificationEventsServicer(feed)
    events_pb2_grpc.add_NotificationEventsServiceServicer_to_server(mesh, server.grpc)
    operators = DeadLetterServicer(dead_letters)
    dead_letters_pb2_grpc.add_DeadLetterServiceServicer_to_server(operators, server.grpc)
    return server
