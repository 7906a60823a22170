"""The settings of the task service."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import GrpcSettings, Port

_SQLITE = "sqlite:///"


class TaskSettings(GrpcSettings):
    """Read from variables that begin with TASK_, but for those that services share."""

    model_config = SettingsConfigDict(env_prefix="TASK_")

    grpc_port: Port = Field(50051, ge=1, le=65535)
    """TASK_GRPC_PORT: the port for gRPC."""
    metrics_port: Port = Field(9101, ge=1, le=65535)
    """TASK_METRICS_PORT: the port for /metrics."""
    store_url: str = "sqlite:///.data/tasks.db"
    """TASK_STORE_URL: where tasks are kept, as sqlite:///PATH (four slashes for an absolute path)."""
    redis_url: str = Field("redis://127.0.0.1:6379/0", validation_alias="REDIS_URL")
    """REDIS_URL: the queue."""
    sweep_seconds: float = Field(2, gt=0, le=60)
    """TASK_SWEEP_SECONDS: the pause between two looks for events that stayed behind."""
    first_look_seconds: float = Field(15, gt=0, le=3600)
    """TASK_FIRST_LOOK_SECONDS: after how long an unconfirmed event is looked for in the stream at first."""
    longest_look_seconds: float = Field(300, gt=0, le=86400)
    """TASK_LONGEST_LOOK_SECONDS: the longest pause between two such looks."""

    @field_validator("store_url")
    @classmethod
    def _known_store(cls, url: str) -> str:
        if not url.startswith(_SQLITE) or len(url) == len(_SQLITE):
            msg = "must be sqlite:///PATH"
            raise ValueError(msg)
        return url

    @property
    def sqlite_path(self: Self) -> Path:
        """The file of the SQLite store."""
        return Path(self.store_url.removeprefix(_SQLITE))
