"""The gRPC services of the mesh, as `make dev` starts them and `make doctor` looks at them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GrpcService:
    """One service: how it is started, set and asked."""

    name: str
    """Its package, and how its lines and its end are announced."""
    variables: str
    """What its own settings begin with, as TASK in TASK_GRPC_PORT."""
    serves: str
    """The name under which its health says whether it can work."""

    @property
    def grpc_port(self) -> str:
        """The variable of its port for gRPC."""
        return f"{self.variables}_GRPC_PORT"

    @property
    def metrics_port(self) -> str:
        """The variable of its port for /metrics."""
        return f"{self.variables}_METRICS_PORT"


GRPC_SERVICES = (
    GrpcService("task_svc", "TASK", "task.v1.TaskService"),
    GrpcService("notify_svc", "NOTIFY", "notify.v1.NotificationService"),
)
"""Each after those that it calls."""
METRICS_PORTS = {"edge_api": "EDGE_METRICS_PORT", **{each.name: each.metrics_port for each in GRPC_SERVICES}}
"""The variable of the port for /metrics, by who is scraped there."""
