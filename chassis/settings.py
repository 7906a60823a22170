"""The settings of every service, read from the environment only in its `__main__`."""

import ipaddress
import sys
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.identity import MeshTokens
from chassis.log import Format

Port = int


class ServiceSettings(BaseSettings):
    """The common settings of all services. The docstring below a field is its description in .env.example."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore", frozen=True, use_attribute_docstrings=True)

    environment: Literal["development", "production"] = Field("development", validation_alias="ENVIRONMENT")
    """development or production. In production, loopback too needs a mesh token and encrypted notification channels."""
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", validation_alias="LOG_LEVEL")
    """The minimum log level: debug, info, warning or error."""
    log_format: Format = Field("auto", validation_alias="LOG_FORMAT")
    """The log format: json, pretty, or auto, which is pretty on a terminal and json otherwise."""
    mesh_token_file: Path | None = Field(None, validation_alias="MESH_TOKEN_FILE")
    """The file with the shared secrets of the mesh: one or two, one per line. The first is sent, both are accepted."""
    otlp_endpoint: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """The OTLP endpoint for spans: http://HOST:PORT. If unset, no spans are recorded."""
    drain_notice_seconds: float = Field(0.5, ge=0, le=60, validation_alias="DRAIN_NOTICE_SECONDS")
    """Seconds for which a stopping service still serves calls after it has reported that it is not ready."""
    drain_seconds: float = Field(10, gt=0, le=300, validation_alias="DRAIN_SECONDS")
    """Maximum seconds for which a stopping service waits for calls in flight."""

    @field_validator("mesh_token_file")
    @classmethod
    def _holds_tokens(cls, path: Path | None) -> Path | None:
        try:
            MeshTokens.read(path)
        except OSError as error:
            msg = f"cannot read {path}: {error.strerror}"
            raise ValueError(msg) from None
        return path


class GrpcSettings(ServiceSettings):
    """The common settings of the gRPC services; each has its own prefix for the variables."""

    grpc_host: str = "127.0.0.1"
    """The address to listen on for gRPC."""
    grpc_port: Port = Field(ge=1, le=65535)
    """The port to listen on for gRPC."""
    metrics_host: str = "127.0.0.1"
    """The address to listen on for /metrics."""
    metrics_port: Port = Field(ge=1, le=65535)
    """The port to listen on for /metrics."""
    grpc_reflection: bool = True
    """Enable gRPC reflection."""
    default_deadline_seconds: float = Field(10, gt=0, le=300)
    """The deadline of a unary call whose client sets none, in seconds."""

    @model_validator(mode="after")
    def _needs_a_token_off_loopback(self) -> Self:
        if self.mesh_token_file is None and (self.environment == "production" or not is_loopback(self.grpc_host)):
            msg = "MESH_TOKEN_FILE is required in production and on any address other than loopback"
            raise ValueError(msg)
        return self


def is_loopback(host: str) -> bool:
    """Return whether `host` is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_S = TypeVar("_S", bound=ServiceSettings)


def load(settings: type[_S]) -> _S:
    """Read the settings from the environment; exit with status 2 and messages on stderr if a value is invalid."""
    try:
        return settings()
    except ValidationError as error:
        prefix = settings.model_config.get("env_prefix", "")
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"])
            variable = name if name.isupper() or not name else f"{prefix}{name}".upper()
            sys.stderr.write(f"{variable or 'settings'}: {problem['msg']}\n")
        raise SystemExit(2) from None
