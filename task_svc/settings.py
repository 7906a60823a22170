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
    """Read from variables that begin with TASK_, but for those that services share."""

    model_config = SettingsConfigDict(env_prefix="TASK_")

    grpc_port: Port = Field(50051, ge=1, le=65535)
    """The port for gRPC."""
    metrics_port: Port = Field(9101, ge=1, le=65535)
    """The port for /metrics."""
    store_url: str = Field("sqlite:///.data/tasks.db", repr=False)
    """The store of the tasks: sqlite:///PATH for one process (four slashes for an absolute path), or
    mongodb://HOST:PORT/DATABASE for any number of replicas."""
    store_password_file: Path | None = None
    """The file with the password of the user that a mongodb:// URL names."""
    sweep_seconds: float = Field(2, gt=0, le=60)
    """The interval at which the relay looks for unpublished events, in seconds."""
    first_look_seconds: float = Field(15, gt=0, le=3600)
    """The first pause before the relay looks for an unconfirmed event in the stream, in seconds."""
    longest_look_seconds: float = Field(300, gt=0, le=86400)
    """The longest such pause, in seconds; each one is twice the one before."""

    reminder_lead_seconds: float = Field(900, ge=0, le=604_800)
    """How long before its due_time the owner of a task is reminded, in seconds."""

    @field_validator("store_url")
    @classmethod
    def _known_store(cls, url: str) -> str:
        if not any(url.startswith(scheme) and len(url) > len(scheme) for scheme in (_SQLITE, *_MONGODB)):
            msg = "must be sqlite:///PATH, mongodb://HOST:PORT/DATABASE or mongodb+srv://HOST/DATABASE"
            raise ValueError(msg)
        return url

    @model_validator(mode="after")
    def _password_has_a_user(self) -> Self:
        if self.store_password_file is not None and (self.sqlite_path or "@" not in self.store_url):
            msg = "TASK_STORE_PASSWORD_FILE needs a user in TASK_STORE_URL, as in mongodb://USER@HOST:PORT/DATABASE"
            raise ValueError(msg)
        return self

    @property
    def sqlite_path(self) -> Path | None:
        """The file of the SQLite store; None where the store is another."""
        return Path(self.store_url.removeprefix(_SQLITE)) if self.store_url.startswith(_SQLITE) else None
