"""A request on its way through the gateway, and its answer: what plugins read and change."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.datastructures import MutableHeaders

from kong.configuration import Consumer
from kong.dev_gateway.sessions import Session


@dataclass
class Answer:
    """An answer with its body, or the head of an answer that a service streams."""

    status: int
    headers: MutableHeaders = field(default_factory=MutableHeaders)
    body: bytes = b""
    source: Literal["exit", "error", "service"] = "error"
    """Who made it: a plugin, the gateway because of an error, or a service."""


class Exit(Exception):
    """Raised to answer a request without its service."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def error(
    status: int,
    message: str,
    headers: dict[str, str] | None = None,
    source: Literal["exit", "error"] = "error",
) -> Answer:
    """An error in Kong's own form, which post-function replaces."""
    answer = Answer(status, MutableHeaders(headers or {}), json.dumps({"message": message}).encode(), source)
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    return answer


@dataclass
class Exchange:
    """A request as plugins see it."""

    method: str
    path: str
    """The path as it was sent."""
    query: str
    """Without the question mark."""
    headers: MutableHeaders
    """The service gets these after all changes."""
    client: str
    """The client's address."""
    consumer: Consumer | None = None
    credential: str | None = None
    """The credential's name, None for the consumer anonymous."""
    session: Session | None = None
    """The valid session that the request came with."""
    pending: MutableHeaders = field(default_factory=MutableHeaders)
    """Headers that plugins set for the answer before there was one."""
    lua_shared: Any = None
    """Kong's `kong.ctx.shared`."""

    def identify(self, consumer: Consumer, credential: str | None) -> None:
        """Sets the caller, also in the headers that tell the service."""
        self.consumer, self.credential = consumer, credential
        values = {
            "X-Consumer-ID": consumer.id,
            "X-Consumer-Custom-ID": None,
            "X-Consumer-Username": consumer.username,
            "X-Credential-Identifier": credential,
            "X-Anonymous-Consumer": None if credential else "true",
        }
        for name, value in values.items():
            del self.headers[name]
            if value is not None:
                self.headers[name] = value
