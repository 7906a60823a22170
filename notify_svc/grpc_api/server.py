"""The gRPC server of the notification service: which services it has, and who may call them without a user."""

from notify.v1 import dead_letters_pb2_grpc, events_pb2_grpc, notify_pb2_grpc
from opentelemetry import trace
from prometheus_client import CollectorRegistry

from chassis.grpc_api.server import MeshServer
from notify_svc.composition import Notifier
from notify_svc.grpc_api.dead_letter_servicer import DeadLetterServicer
from notify_svc.grpc_api.servicer import NotificationEventsServicer, NotificationServicer
from notify_svc.settings import NotifySettings

NOTIFICATION_SERVICE = "notify.v1.NotificationService"
NOTIFICATION_EVENTS_SERVICE = "notify.v1.NotificationEventsService"
DEAD_LETTER_SERVICE = "notify.v1.DeadLetterService"


def build(
    settings: NotifySettings, registry: CollectorRegistry, tracer: trace.Tracer, notifier: Notifier
) -> MeshServer:
    """The server with all its services, ready to serve."""
    server = MeshServer(
        settings,
        registry,
        tracer,
        services=(NOTIFICATION_SERVICE, NOTIFICATION_EVENTS_SERVICE, DEAD_LETTER_SERVICE),
        userless=(NOTIFICATION_EVENTS_SERVICE, DEAD_LETTER_SERVICE),
        ready=notifier.check_ready,
    )
    users = NotificationServicer(notifier.inbox, notifier.feed)
    notify_pb2_grpc.add_NotificationServiceServicer_to_server(users, server.grpc)
    mesh = NotificationEventsServicer(notifier.feed)
    events_pb2_grpc.add_NotificationEventsServiceServicer_to_server(mesh, server.grpc)
    operators = DeadLetterServicer(notifier.dead_letter_admin)
    dead_letters_pb2_grpc.add_DeadLetterServiceServicer_to_server(operators, server.grpc)
    return server
