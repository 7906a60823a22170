"""The gateway under attack: the development gateway with the whole mesh behind it, or a real Kong.

`make test-kong GATEWAY_URL=…` selects a real Kong. Its limits are not changed, so a request over a limit waits and is
sent again. Tests share sessions where possible: a run uses 55 of the 60 logins per address and hour.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.support.eventually import eventually
from tests.support.kong import raw_http
from tests.support.kong.dev_gateway import Change, Document, dev_gateway, limit, service, without_limits
from tests.support.kong.echo import echo

DEMO, GUEST = ("demo", "demo-password"), ("guest", "guest-password")
DEMO_KEY, GUEST_KEY = ("x-api-key", "demo-key"), ("x-api-key", "guest-key")
TASKS, SESSION = "/api/v1/tasks", "/api/v1/session"
KONG = os.environ.get("GATEWAY_URL")
Lines = Sequence[tuple[str, str]]

USER_LIMIT, ANONYMOUS_LIMIT = (600, 60) if KONG else (5, 4)
"""Requests per minute of a user, and of an address without a valid credential. A real Kong uses those of kong.yml."""

only_kong = pytest.mark.skipif(KONG is None, reason="needs a real Kong: make test-kong GATEWAY_URL=…")
not_kong = pytest.mark.skipif(KONG is not None, reason="needs a kong.yml with other limits, or the edge itself")


@dataclass(frozen=True)
class Gateway:
    """The addresses of the gateway and of the edge behind it."""

    url: str
    edge: str | None = None
    """The URL of the edge, None if tests cannot connect to it."""
    is_patient: bool = KONG is not None
    """Whether to resend a request over a limit after Retry-After."""
    _sessions: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    async def send(
        self,
        path: str,
        *lines: tuple[str, str],
        method: str = "GET",
        auth: tuple[str, str] | None = None,
        source: str = "127.0.0.1",
        **more: Any,
    ) -> httpx.Response:
        """Send a request on its own connection, with these header lines, from the local address `source`."""
        transport = httpx.AsyncHTTPTransport(local_address=source)
        async with httpx.AsyncClient(base_url=self.url, transport=transport, timeout=30) as client:
            while True:
                answer = await client.request(method, path, headers=list(lines), auth=auth, **more)
                if not (self.is_patient and answer.status_code == 429):
                    return answer
                await _wait(answer.headers["Retry-After"])

    async def raw(self, target: str, *headers: str, method: str = "GET", body: str = "") -> raw_http.Answer:
        """Send a request exactly as given."""
        request = raw_http.request(target, *headers, method=method, body=body)
        while True:
            answer = await raw_http.answer(self.url, request)
            if not (self.is_patient and answer.status == 429):
                return answer
            await _wait(answer.header("retry-after") or "1")

    async def sign_in(self, user: tuple[str, str] = DEMO) -> tuple[str, str]:
        """Sign in, wait until the session is known, and return the cookie header line."""
        answer = await self.send(SESSION, auth=user)
        assert answer.status_code == 200, answer.text
        cookie = ("Cookie", answer.headers["Set-Cookie"].partition(";")[0])
        await eventually(lambda: self.is_known(cookie))
        return cookie

    async def session(self, user: tuple[str, str] = DEMO) -> tuple[str, str]:
        """Return the cookie header line of a session that tests share. Tests must not end it."""
        if user not in self._sessions:
            self._sessions[user] = await self.sign_in(user)
        return self._sessions[user]

    async def is_known(self, cookie: tuple[str, str]) -> bool:
        """Return whether a cookie belongs to a session."""
        return await self.user(cookie) is not None

    async def user(self, *lines: tuple[str, str]) -> str | None:
        """Return the user that the edge identifies, or None if the gateway rejects the request."""
        answer = await self.send(SESSION, *lines)
        return str(answer.json()["user"]) if answer.status_code == 200 else None


async def _wait(retry_after: str) -> None:
    assert int(retry_after) <= 60, "all logins of this hour are used: restart Kong to reset its counters"
    await asyncio.sleep(int(retry_after))


@asynccontextmanager
async def gateway_to(edge: str, *changes: Change, is_limited: bool = False) -> AsyncIterator[Gateway]:
    """Serve the development gateway for an edge, with changes to kong.yml, and without limits unless `is_limited`."""
    limits = (_tested_limits,) if is_limited else (without_limits,)
    async with (
        echo() as page,
        dev_gateway(*limits, *changes, edge=httpx.URL(edge).port or 80, web=page.port, row_delay_seconds=0) as url,
    ):
        yield Gateway(url, edge)


def _tested_limits(changed: Document) -> None:
    limit(service(changed, "api")["plugins"], USER_LIMIT)
    limit((each for each in changed["plugins"] if each.get("route") != "login"), ANONYMOUS_LIMIT)


Attack = Callable[[Gateway], Awaitable[None]]
STOPPED: list[tuple[Attack, str, tuple[Change, ...]]] = []
"""Each attack with the name of the stanza that stops it, and the changes that remove the stanza."""


def stopped_by(stanza: str, *without: Change) -> Callable[[Attack], Attack]:
    """Register the stanza of kong.yml that stops an attack; test_gateway_stanzas removes it and repeats the attack."""

    def register(attack: Attack) -> Attack:
        STOPPED.append((attack, stanza, without))
        return attack

    return register
