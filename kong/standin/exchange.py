"""One request on its way through the gateway, and the answer to it: what the plugins look at and change."""

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from kong.standin.consumers import Consumer, Credential
from kong.standin.headers import Headers
from kong.standin.sessions import Session


@dataclass
class Answer:
    """An answer whose body is known, or the head of one that a service gives."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    source: Literal["exit", "error", "service"] = "error"
    """Who made it: a plugin by its own wish, Kong because of an error, or the service behind."""


class Exit(Exception):
    """Raised by a plugin that answers itself: the service is not asked."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass
class Exchange:
    """A request as plugins see it. Changes to `headers` are what the service gets."""

    method: str
    path: str
    """The path as it was sent."""
    query: str
    """What follows the question mark."""
    headers: Headers
    client: str
    """The address of the client."""
    read_body: Callable[[], Awaitable[bytes]]
    """Reads the whole body, once; raises Exit when it is too large or too slow."""

    request_id: str = field(default_factory=lambda: secrets.token_hex(16))
    """Kong's own id of the request."""
    consumer: Consumer | None = None
    credential: Credential | None = None
    """None for the anonymous consumer."""
    session: Session | None = None
    """The session that the request came with, when it is a good one."""
    forwarded_for: str | None = None
    """What goes on as X-Forwarded-For, where a function has set it."""
    via: str | None = None
    """What goes on as Via, where a function has set it."""
    told: Headers = field(default_factory=Headers)
    """What plugins have said for the headers of the answer before there was one."""

    def identify(self, consumer: Consumer, credential: Credential | None) -> None:
        """Makes the request the consumer's, and tells the service so in the headers that are Kong's alone."""
        self.consumer, self.credential = consumer, credential
        told = {
            "X-Consumer-ID": consumer.id,
            "X-Consumer-Custom-ID": consumer.custom_id,
            "X-Consumer-Username": consumer.username,
            "X-Credential-Identifier": credential.name if credential else None,
            "X-Anonymous-Consumer": None if credential else "true",
        }
        for name, value in told.items():
            self.headers.remove(name)
            if value is not None:
                self.headers.set(name, value)

    def error(self, status: int, message: str, headers: Headers | None = None) -> Answer:
        """An error as Kong makes it, in its default form."""
        body = json.dumps({"message": message, "request_id": self.request_id}).encode()
        answer = Answer(status, headers or Headers(), body)
        answer.headers.set("Content-Type", "application/json; charset=utf-8")
        return answer
