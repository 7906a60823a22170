"""The settings of a gRPC service that uses the queue: its address and password."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from chassis.settings import GrpcSettings


class QueueSettings(GrpcSettings):
    """The common settings of the services that use Redis or Valkey."""

    redis_url: str = Field("redis://127.0.0.1:6379/0", validation_alias="REDIS_URL", pattern=r"^(rediss?|unix)://")
    """The URL of the queue, which also stores the inboxes: redis://USER@HOST:PORT/0."""
    redis_password_file: Path | None = Field(None, validation_alias="REDIS_PASSWORD_FILE")
    """The file with the password of the user in REDIS_URL. Unset for no password, or for one in REDIS_URL."""

    @field_validator("redis_password_file")
    @classmethod
    def _holds_a_password(cls, path: Path | None) -> Path | None:
        try:
            read_secret(path)
        except OSError as error:
            msg = f"cannot read {path}: {error.strerror}"
            raise ValueError(msg) from None
        return path

    @model_validator(mode="after")
    def _has_one_password(self) -> Self:
        if self.redis_password_file is not None and urlsplit(self.redis_url).password is not None:
            msg = "REDIS_URL must have no password if REDIS_PASSWORD_FILE is set"
            raise ValueError(msg)
        return self

    @property
    def redis_password(self) -> str | None:
        """The current content of REDIS_PASSWORD_FILE, or None if it is unset."""
        return read_secret(self.redis_password_file)


def read_secret(path: Path | None) -> str | None:
    """Return the secret in a file without surrounding whitespace; None without a path.

    Raises ValueError if the file is empty, OSError if it cannot be read.
    """
    if path is None:
        return None
    secret = path.read_text(encoding="utf-8").strip()
    if not secret:
        msg = f"{path} is empty; it must contain the password"
        raise ValueError(msg)
    return secret
