"""The edge's settings, read from the environment in `edge_api.__main__`."""

import re
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import Port, ServiceSettings

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")


class EdgeSettings(ServiceSettings):
    """The settings of the edge. MESH_TOKEN_FILE is required."""

    model_config = SettingsConfigDict(env_prefix="EDGE_")

    host: str = "127.0.0.1"
    """The address to listen on for HTTP."""
    port: Port = Field(8080, ge=1, le=65535)
    """The port to listen on for HTTP."""
    metrics_host: str = "127.0.0.1"
    """The address to listen on for /metrics."""
    metrics_port: Port = Field(9100, ge=1, le=65535)
    """The port to listen on for /metrics."""
    public_origins: str = Field("http://127.0.0.1:8000,http://localhost:8000", validation_alias="PUBLIC_ORIGINS")
    """The origins of the page, separated by commas. Writes from pages of other origins are rejected."""
    call_timeout_seconds: float = Field(5, gt=0, le=60)
    """The time limit of a request, including all its calls and retries, in seconds."""
    max_in_flight: int = Field(200, ge=1, le=10_000)
    """Maximum concurrent requests; further ones get 503."""
    max_connections: int = Field(12_000, ge=1, le=100_000)
    """Maximum open connections, including event streams."""
    max_watchers: int = Field(10_000, ge=1, le=100_000)
    """Maximum concurrent event streams; further ones get 429."""
    max_watchers_per_user: int = Field(50, ge=1, le=100_000)
    """Maximum concurrent event streams of one user; further ones get 429."""
    task_target: str = Field("127.0.0.1:50051", min_length=1, validation_alias="TASK_GRPC_TARGET")
    """The address of the task service: HOST:PORT, or ipv4:HOST:PORT,HOST:PORT for several replicas."""
    notify_target: str = Field("127.0.0.1:50052", min_length=1, validation_alias="NOTIFY_GRPC_TARGET")
    """The address of the notification service: HOST:PORT, or ipv4:HOST:PORT,HOST:PORT for several replicas."""

    @property
    def origins(self) -> frozenset[str]:
        """The origins in PUBLIC_ORIGINS."""
        return frozenset(self.public_origins.split(","))

    @field_validator("public_origins")
    @classmethod
    def _names_origins(cls, value: str) -> str:
        if not all(_ORIGIN.fullmatch(origin) for origin in value.split(",")):
            msg = "PUBLIC_ORIGINS must be one or more origins, separated by commas, such as https://tasks.example"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _knows_its_gateway(self) -> Self:
        if self.mesh_token_file is None:
            msg = "MESH_TOKEN_FILE is required: the edge accepts requests from the gateway only"
            raise ValueError(msg)
        return self
