"""The edge's settings, read from the environment in `edge_api.__main__`."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.identity import is_username
from chassis.settings import Port, ServiceSettings, is_loopback


class EdgeSettings(ServiceSettings):
    """What the edge needs to know; a mesh token file or, in development, a dev_user."""

    model_config = SettingsConfigDict(env_prefix="EDGE_")

    host: str = "127.0.0.1"
    """EDGE_HOST: the address to listen on."""
    port: Port = Field(8080, ge=1, le=65535)
    """EDGE_PORT: the port for HTTP."""
    metrics_host: str = "127.0.0.1"
    """EDGE_METRICS_HOST: the address for /metrics."""
    metrics_port: Port = Field(9100, ge=1, le=65535)
    """EDGE_METRICS_PORT: the port for /metrics."""
    dev_user: str | None = None
    """EDGE_DEV_USER: who a request without a mesh token acts for; only in development and on loopback."""
    call_timeout_seconds: float = Field(5, gt=0, le=60)
    """EDGE_CALL_TIMEOUT_SECONDS: how long a request may take, with all its calls and their retries."""
    max_in_flight: int = Field(200, ge=1, le=10_000)
    """EDGE_MAX_IN_FLIGHT: how many requests are worked on at once; more are answered 503."""
    max_connections: int = Field(12_000, ge=1, le=100_000)
    """EDGE_MAX_CONNECTIONS: how many connections may be open, those of watchers among them."""
    max_watchers: int = Field(10_000, ge=1, le=100_000)
    """EDGE_MAX_WATCHERS: how many clients may watch events at once; more are answered 429."""
    max_watchers_per_user: int = Field(50, ge=1, le=100_000)
    """EDGE_MAX_WATCHERS_PER_USER: how many of them may be one user's."""
    task_target: str = Field("127.0.0.1:50051", min_length=1, validation_alias="TASK_GRPC_TARGET")
    """TASK_GRPC_TARGET: the task service as host:port, or its replicas as ipv4:HOST:PORT,HOST:PORT."""
    notify_target: str = Field("127.0.0.1:50052", min_length=1, validation_alias="NOTIFY_GRPC_TARGET")
    """NOTIFY_GRPC_TARGET: the notification service as host:port, or its replicas as ipv4:HOST:PORT,HOST:PORT."""

    @model_validator(mode="after")
    def _knows_its_callers(self) -> Self:
        if self.dev_user is None:
            if self.mesh_token_file is None:
                msg = "MESH_TOKEN_FILE is needed, or EDGE_DEV_USER in development"
                raise ValueError(msg)
            return self
        if not is_username(self.dev_user):
            msg = "EDGE_DEV_USER must be a user's name: [A-Za-z0-9._-], 1 to 64 characters"
            raise ValueError(msg)
        if self.environment == "production" or not is_loopback(self.host):
            msg = "EDGE_DEV_USER is allowed in development only, and only on loopback"
            raise ValueError(msg)
        return self
