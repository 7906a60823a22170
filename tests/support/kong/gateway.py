"""The gateway that attacks are tried on: the development gateway with the whole mesh behind it, or a real Kong.

`make test-kong GATEWAY_URL=…` names a Kong. It keeps its own limits, so a request that is over one waits and is sent
again, and tests share sessions where they can: a run takes 55 of the 60 logins that an address has in an hour.
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

SHARE, STRANGERS = (600, 60) if KONG else (5, 4)
"""Requests a minute of a user, and of an address without a valid credential; a real Kong keeps those of kong.yml."""

only_kong = pytest.mark.skipif(KONG is None, reason="needs a real Kong: make test-kong GATEWAY_URL=…")
not_kong = pytest.mark.skipif(KONG is not None, reason="needs a kong.yml with other limits, or the edge itself")


@dataclass(frozen=True)
class Gateway:
    """Where clients connect, and where they must not be able to."""

    url: str
    edge: str | None = None
    """The address of the edge behind it, None where it cannot be reached."""
    is_patient: bool = KONG is not None
    """Whether a request over a limit is sent again after Retry-After."""
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
        """Sends one request on its own connection, with these header lines, from an address of this machine."""
        transport = httpx.AsyncHTTPTransport(local_address=source)
        async with httpx.AsyncClient(base_url=self.url, transport=transport, timeout=30) as client:
            while True:
                answer = await client.request(method, path, headers=list(lines), auth=auth, **more)
                if not (self.is_patient and answer.status_code == 429):
                    return answer
                await _wait(answer.headers["Retry-After"])

    async def raw(self, target: str, *headers: str, method: str = "GET", body: str = "") -> raw_http.Answer:
        """Sends a request exactly as given."""
        request = raw_http.request(target, *headers, method=method, body=body)
        while True:
            answer = await raw_http.answer(self.url, request)
            if not (self.is_patient and answer.status == 429):
                return answer
            await _wait(answer.header("retry-after") or "1")

    async def sign_in(self, user: tuple[str, str] = DEMO) -> tuple[str, str]:
        """Signs in and waits until the session is known; returns the header line that a browser sends from then on."""
        answer = await self.send(SESSION, auth=user)
        assert answer.status_code == 200, answer.text
        cookie = ("Cookie", answer.headers["Set-Cookie"].partition(";")[0])
        await eventually(lambda: self.is_known(cookie))
        return cookie

    async def session(self, user: tuple[str, str] = DEMO) -> tuple[str, str]:
        """The header line of a session that tests share, so none may end it."""
        if user not in self._sessions:
            self._sessions[user] = await self.sign_in(user)
        return self._sessions[user]

    async def is_known(self, cookie: tuple[str, str]) -> bool:
        """Whether a cookie is that of a session."""
        return await self.user(cookie) is not None

    async def user(self, *lines: tuple[str, str]) -> str | None:
        """The user that the edge takes a client for; None where the gateway refuses the request."""
        answer = await self.send(SESSION, *lines)
        return str(answer.json()["user"]) if answer.status_code == 200 else None


async def _wait(retry_after: str) -> None:
    assert int(retry_after) <= 60, "the logins of this hour are used up: restart Kong, which then counts anew"
    await asyncio.sleep(int(retry_after))


@asynccontextmanager
async def gateway_to(edge: str, *changes: Change, is_limited: bool = False) -> AsyncIterator[Gateway]:
    """The development gateway before an edge, with changes to its kong.yml; without limits unless these are tested."""
    limits = (_tested_limits,) if is_limited else (without_limits,)
    async with (
        echo() as page,
        dev_gateway(*limits, *changes, edge=httpx.URL(edge).port or 80, web=page.port, row_delay_seconds=0) as url,
    ):
        yield Gateway(url, edge)


def _tested_limits(changed: Document) -> None:
    limit(service(changed, "api")["plugins"], SHARE)
    limit((each for each in changed["plugins"] if each.get("route") != "login"), STRANGERS)


Attack = Callable[[Gateway], Awaitable[None]]
STOPPED: list[tuple[Attack, str, tuple[Change, ...]]] = []
"""Each attack with the stanza that stops it: its name, and the changes that remove it."""


def stopped_by(stanza: str, *without: Change) -> Callable[[Attack], Attack]:
    """Names the stanza of kong.yml that stops an attack; test_gateway_stanzas removes it and tries again."""

    def note(attack: Attack) -> Attack:
        STOPPED.append((attack, stanza, without))
        return attack

    return note
