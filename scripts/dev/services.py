"""The gRPC services of the mesh, for `make dev` and `make doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GrpcService:
    """One gRPC service."""

    name: str
    """The package, which is also the name in the output."""
    variables: str
    """The prefix of its settings, such as TASK in TASK_GRPC_PORT."""
    serves: str
    """The name of its readiness in the gRPC health service."""

    @property
    def grpc_port(self) -> str:
        """The variable of the gRPC port."""
        return f"{self.variables}_GRPC_PORT"

    @property
    def metrics_port(self) -> str:
        """The variable of the metrics port."""
        return f"{self.variables}_METRICS_PORT"


GRPC_SERVICES = (
    GrpcService("task_svc", "TASK", "task.v1.TaskService"),
    GrpcService("notify_svc", "NOTIFY", "notify.v1.NotificationService"),
)
"""Each after those that it calls."""
METRICS_PORTS = {"edge_api": "EDGE_METRICS_PORT", **{each.name: each.metrics_port for each in GRPC_SERVICES}}
"""The variable of the metrics port by process."""
