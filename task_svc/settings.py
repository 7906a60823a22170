"""The settings of the task service."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.queue_settings import QueueSettings
from chassis.settings import Port

_SQLITE = "sqlite:///"
_MONGODB = ("mongodb://", "mongodb+srv://")


class TaskSettings(QueueSettings):
    """Read from variables with the prefix TASK_, except the settings that the services share."""

    model_config = SettingsConfigDict(env_prefix="TASK_")

    grpc_port: Port = Field(50051, ge=1, le=65535)
    """Port for gRPC."""
    metrics_port: Port = Field(9101, ge=1, le=65535)
    """Port for /metrics."""
    store_url: str = Field("sqlite:///.data/tasks.db", repr=False)
    """URL of the task store: sqlite:///PATH for one process (four slashes for an absolute path), or
    mongodb://HOST:PORT/DATABASE for any number of replicas."""
    store_password_file: Path | None = None
    """File with the password of the user in a mongodb:// URL."""
    sweep_seconds: float = Field(2, gt=0, le=60)
    """Interval at which the relay looks for unpublished events, in seconds."""
    first_look_seconds: float = Field(15, gt=0, le=3600)
    """First pause before the relay checks that the stream still has an unconfirmed event, in seconds."""
    longest_look_seconds: float = Field(300, gt=0, le=86400)
    """Longest pause between two checks of an unconfirmed event, in seconds; each pause is twice the previous one."""

    reminder_lead_seconds: float = Field(900, ge=0, le=604_800)
    """Time between the reminder of a task and its due_time, in seconds."""

    @field_validator("store_url")
    @classmethod
    def _known_store(cls, url: str) -> str:
        if not any(url.startswith(scheme) and len(url) > len(scheme) for scheme in (_SQLITE, *_MONGODB)):
            msg = "must be sqlite:///PATH, mongodb://HOST:PORT/DATABASE or mongodb+srv://HOST/DATABASE"
            raise ValueError(msg)
        return url

    @model_validator(mode="after")
    def _password_file_needs_a_user(self) -> Self:
        if self.store_password_file is not None and (self.sqlite_path or "@" not in self.store_url):
            msg = "TASK_STORE_PASSWORD_FILE needs a user in TASK_STORE_URL, as in mongodb://USER@HOST:PORT/DATABASE"
            raise ValueError(msg)
        return self

    @property
    def sqlite_path(self) -> Path | None:
        """The file of the SQLite store; None for MongoDB."""
        return Path(self.store_url.removeprefix(_SQLITE)) if self.store_url.startswith(_SQLITE) else None
