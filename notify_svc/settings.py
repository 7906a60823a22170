"""The notifier's settings: NOTIFY_… in the environment, beside those that all services have."""

import os
import socket
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.queue_settings import QueueSettings
from chassis.settings import Port
from notify_svc import channel_file


def _consumer_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class NotifySettings(QueueSettings):
    """What the notification service needs to know."""

    model_config = SettingsConfigDict(env_prefix="NOTIFY_")

    grpc_port: Port = Field(50052, ge=1, le=65535)
    """NOTIFY_GRPC_PORT: the port for gRPC."""
    metrics_port: Port = Field(9102, ge=1, le=65535)
    """NOTIFY_METRICS_PORT: the port for /metrics."""
    task_grpc_target: str = Field("127.0.0.1:50051", validation_alias="TASK_GRPC_TARGET", min_length=1)
    """TASK_GRPC_TARGET: the task service as host:port, or its replicas as ipv4:HOST:PORT,HOST:PORT."""
    consumer: str = Field(default_factory=_consumer_name, pattern=r"^[A-Za-z0-9._-]{1,128}$")
    """NOTIFY_CONSUMER: this process's name in the consumer group, never shared by two; by default host and pid."""
    claim_idle_seconds: float = Field(30, ge=0.1, le=3600)
    """NOTIFY_CLAIM_IDLE_SECONDS: how long another consumer's entry lies untouched before it is taken over."""
    max_deliveries: int = Field(5, ge=1, le=1000)
    """NOTIFY_MAX_DELIVERIES: how often an entry is read that cannot even be recorded, before it is a dead letter."""
    delivery_timeout_seconds: float = Field(10, gt=0, le=300)
    """NOTIFY_DELIVERY_TIMEOUT_SECONDS: the time for one attempt on one channel."""
    delivery_lease_seconds: float = Field(30, gt=0, le=3600)
    """NOTIFY_DELIVERY_LEASE_SECONDS: after this an attempt whose process has died is made again by another."""
    delivery_poll_seconds: float = Field(1, ge=0.01, le=60)
    """NOTIFY_DELIVERY_POLL_SECONDS: how often a channel looks for what has come due; what is new it is told of."""
    max_attempts: int = Field(8, ge=1, le=100)
    """NOTIFY_MAX_ATTEMPTS: how often a channel is tried before it is given up."""
    retry_first_seconds: float = Field(1, gt=0, le=3600)
    """NOTIFY_RETRY_FIRST_SECONDS: the pause after the first failed attempt; each further one doubles it."""
    retry_longest_seconds: float = Field(900, gt=0, le=86_400)
    """NOTIFY_RETRY_LONGEST_SECONDS: the longest pause between two attempts."""
    channels_file: Path | None = None
    """NOTIFY_CHANNELS_FILE: the secret with the outside channels, one a line as `name url`, at most ten."""
    channel_grace_seconds: float = Field(900, ge=0.1, le=604_800)
    """NOTIFY_CHANNEL_GRACE_SECONDS: how long nobody has a channel before what it owes becomes dead letters."""
    unconfirmed_limit: int = Field(5000, ge=1, le=1_000_000)
    """NOTIFY_UNCONFIRMED_LIMIT: how many settled events may wait for the task service before reading stops."""

    @field_validator("channels_file")
    @classmethod
    def _names_channels(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        try:
            channel_file.read(path, is_development=info.data.get("environment") == "development")
        except OSError as error:
            msg = f"cannot read {path}: {error.strerror}"
            raise ValueError(msg) from None
        return path

    @model_validator(mode="after")
    def _an_attempt_ends_within_its_lease(self) -> Self:
        if self.delivery_timeout_seconds >= self.delivery_lease_seconds:
            msg = "NOTIFY_DELIVERY_TIMEOUT_SECONDS must be below NOTIFY_DELIVERY_LEASE_SECONDS"
            raise ValueError(msg)
        return self
