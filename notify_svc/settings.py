"""The settings of the notification service."""

import os
import socket
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.queue_settings import QueueSettings
from chassis.settings import Port
from notify_svc.delivery import channel_file


def _consumer_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class NotifySettings(QueueSettings):
    """Read from variables with the prefix NOTIFY_, except the settings that the services share."""

    model_config = SettingsConfigDict(env_prefix="NOTIFY_")

    grpc_port: Port = Field(50052, ge=1, le=65535)
    """Port for gRPC."""
    metrics_port: Port = Field(9102, ge=1, le=65535)
    """Port for /metrics."""
    task_grpc_target: str = Field("127.0.0.1:50051", validation_alias="TASK_GRPC_TARGET", min_length=1)
    """Address of the task service: HOST:PORT, or ipv4:HOST:PORT,HOST:PORT for its replicas."""
    consumer: str = Field(default_factory=_consumer_name, pattern=r"^[A-Za-z0-9._-]{1,128}$")
    """Name of this process in the consumer group; must be unique. Default: host name and process id."""
    claim_idle_seconds: float = Field(30, ge=0.1, le=3600)
    """Time after which an unacknowledged entry of another consumer is claimed, in seconds."""
    max_deliveries: int = Field(5, ge=1, le=1000)
    """Maximum deliveries of an unprocessable entry before it is dead-lettered."""
    delivery_timeout_seconds: float = Field(10, gt=0, le=300)
    """Time limit of one delivery attempt on one channel, in seconds."""
    delivery_lease_seconds: float = Field(30, gt=0, le=3600)
    """Time after which another process repeats the attempt of a process that died, in seconds."""
    delivery_poll_seconds: float = Field(1, ge=0.01, le=60)
    """Interval at which a channel looks for due retries, in seconds."""
    max_attempts: int = Field(8, ge=1, le=100)
    """Maximum attempts on a channel before a delivery is dead-lettered."""
    retry_first_seconds: float = Field(1, gt=0, le=3600)
    """Pause after the first failed attempt, in seconds; each further pause is twice as long."""
    retry_longest_seconds: float = Field(900, gt=0, le=86_400)
    """Longest pause between two attempts, in seconds."""
    channels_file: Path | None = None
    """File with the outside channels, one per line as `name url`, at most ten."""
    channel_grace_seconds: float = Field(900, ge=0.1, le=604_800)
    """Time after which deliveries of a removed channel are dead-lettered, in seconds."""
    unconfirmed_limit: int = Field(5000, ge=1, le=1_000_000)
    """Maximum completed events that wait for confirmation before consumption pauses."""

    @field_validator("channels_file")
    @classmethod
    def _valid_channels_file(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        try:
            channel_file.read(path, is_development=info.data.get("environment") == "development")
        except OSError as error:
            msg = f"cannot read {path}: {error.strerror}"
            raise ValueError(msg) from None
        return path

    @model_validator(mode="after")
    def _timeout_is_below_lease(self) -> Self:
        if self.delivery_timeout_seconds >= self.delivery_lease_seconds:
            msg = "NOTIFY_DELIVERY_TIMEOUT_SECONDS must be below NOTIFY_DELIVERY_LEASE_SECONDS"
            raise ValueError(msg)
        return self
