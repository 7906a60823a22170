"""The door that attacks are tried on: the development gateway with the whole mesh behind it, or a real Kong.

`GATEWAY_URL` names a Kong whose limits are high; `GATEWAY_LIMITED_URL` one with `LIMITS`. scripts/test-kong sets them.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support import raw_http
from tests.support.echo import echo
from tests.support.standin import Change, limit, route, service, standin

DEMO, GUEST = ("demo", "demo-password"), ("guest", "guest-password")
DEMO_KEY, GUEST_KEY = ("x-api-key", "demo-key"), ("x-api-key", "guest-key")
TASKS, SESSION = "/api/v1/tasks", "/api/v1/session"
KONG, LIMITED_KONG = os.environ.get("GATEWAY_URL"), os.environ.get("GATEWAY_LIMITED_URL")
Lines = Sequence[tuple[str, str]]

LIMITS: tuple[Change, ...] = (
    limit(lambda file: route(file, "login"), minute=3),
    limit(lambda file: service(file, "api"), minute=5),
    limit(lambda file: file, minute=4),
)
"""What the tests of limits count with: logins and strangers by address, callers by name."""


@dataclass(frozen=True)
class Door:
    """Where a client comes in, and where nobody should."""

    url: str
    edge: str | None
    """The address of the edge behind it, where it can be reached at all."""

    async def send(
        self, path: str, *lines: tuple[str, str], method: str = "GET", auth: tuple[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Sends one request on a connection of its own, with these header lines."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30) as client:
            return await client.request(method, path, headers=list(lines), auth=auth, **more)

    async def raw(self, target: str, *headers: str, method: str = "GET", body: str = "") -> raw_http.Answer:
        """Sends a request as it stands."""
        return await raw_http.answer(self.url, raw_http.request(target, *headers, method=method, body=body))

    async def sign_in(self, user: tuple[str, str] = DEMO) -> tuple[str, str]:
        """Signs in as a browser does; gives the line that it would send from then on."""
        answer = await self.send(SESSION, auth=user)
        assert answer.status_code == 200, answer.text
        return ("Cookie", answer.headers["Set-Cookie"].partition(";")[0])

    async def who(self, *lines: tuple[str, str]) -> str | None:
        """Who the edge takes a client for; None where it does not even let it in."""
        answer = await self.send(SESSION, *lines)
        return str(answer.json()["user"]) if answer.status_code == 200 else None

    async def window_begins(self) -> None:
        """Waits until the gateway's next minute: what it has counted before does not count any more."""
        answer = await self.send(SESSION, GUEST_KEY)
        await asyncio.sleep(int(answer.headers["RateLimit-Reset"]))


@asynccontextmanager
async def door_to(edge: str, *changes: Change) -> AsyncIterator[Door]:
    """The development gateway before an edge, with changes to its kong.yml."""
    async with (
        echo() as page,
        standin(*changes, edge=httpx.URL(edge).port or 80, web=page.port) as url,
    ):
        yield Door(url, edge)


Attack = Callable[[Door], Awaitable[None]]
STOPPED: list[tuple[Attack, str, tuple[Change, ...]]] = []
"""Each attack with the stanza that stops it: its name, and the changes that take it out."""


def stopped_by(stanza: str, *without: Change) -> Callable[[Attack], Attack]:
    """Says of an attack which stanza of kong.yml stops it; test_gateway_stanzas takes that one out and tries again."""

    def note(attack: Attack) -> Attack:
        STOPPED.append((attack, stanza, without))
        return attack

    return note


only_kong = pytest.mark.skipif(KONG is None, reason="proves the server in front, which only a real Kong has")
