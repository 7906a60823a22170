"""A request in the gateway and its response, as plugins read and change them."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.datastructures import MutableHeaders

from kong.configuration import Consumer
from kong.dev_gateway.sessions import Session


@dataclass
class Response:
    """A response with its body, or only the head if a service streams the body."""

    status: int
    headers: MutableHeaders = field(default_factory=MutableHeaders)
    body: bytes = b""
    source: Literal["exit", "error", "service"] = "error"
    """The origin, as Kong's `get_source` names it: a plugin, an error of the gateway, or a service."""


class Exit(Exception):
    """Raised to respond to a request without calling its service."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def error(
    status: int,
    message: str,
    headers: dict[str, str] | None = None,
    source: Literal["exit", "error"] = "error",
) -> Response:
    """Return an error response in Kong's format, which post-function replaces."""
    response = Response(status, MutableHeaders(headers or {}), json.dumps({"message": message}).encode(), source)
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    return response


@dataclass
class Exchange:
    """A request as plugins see it, with the caller found so far."""

    method: str
    path: str
    """The path as the client sent it."""
    query: str
    """Without the question mark."""
    headers: MutableHeaders
    """The request headers. Plugins change them before they are sent to the service."""
    client: str
    """The client's IP address."""
    consumer: Consumer | None = None
    credential: str | None = None
    """The identifier of the credential, None for the consumer anonymous."""
    session: Session | None = None
    """The request's valid session."""
    pending: MutableHeaders = field(default_factory=MutableHeaders)
    """Response headers that plugins set during `access`."""
    lua_shared: Any = None
    """Kong's `kong.ctx.shared`."""

    def identify(self, consumer: Consumer, credential: str | None) -> None:
        """Set the caller, and the headers that identify it to the service. `credential` is None for anonymous."""
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
