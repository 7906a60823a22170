"""The system that runs, `make dev` or `make up`, as somebody meets it who has a key: over HTTP, over gRPC, as doctor.

Everything is done as the user `guest` of kong/demo-users.yml, and what was made is deleted again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import httpx

from scripts.dev.settings import DevSettings
from scripts.doctor.diagnosis import DEV, Diagnosis
from scripts.doctor.docker import GROUP as UP
from scripts.doctor.findings import State

USER, KEY, PASSWORD = "guest", "guest-key", "guest-password"
OTHER_USER, OTHER_KEY = "demo", "demo-key"
TASKS, NOTIFICATIONS = "/api/v1/tasks", "/api/v1/notifications"
_SECONDS = 10.0
_PAUSE = 0.1
_CONTAINERS = {"queue": "redis", "tasks": "mongo", "gateway": "kong", "edge_api": "edge-api"}

T = TypeVar("T")


class Broken(Exception):
    """A promise is not kept; the message says what was seen instead."""


class NotHere(Exception):
    """The promise is about the other way of running the system; the message says which."""


@dataclass(frozen=True)
class System:
    """What runs, and how to reach it."""

    diagnosis: Diagnosis
    http: httpx.AsyncClient
    """A client of the gateway, without a key."""
    grpc: grpc.aio.Channel
    """To the task service in `make dev`, to Kong in `make up`."""
    in_containers: bool
    ports: Mapping[str, int]

    def is_well(self, *parts: str) -> None:
        """Raises Broken unless doctor finds these parts well, which go by their names in `make dev`."""
        for part in parts:
            name = _CONTAINERS.get(part, part.replace("_", "-")) if self.in_containers else part
            group = UP if self.in_containers else DEV
            found = [each for each in self.diagnosis.findings if each.part == name and each.group == group]
            if not found:
                msg = f"{name} is not there"
                raise Broken(msg)
            for each in found:
                if each.state is not State.OK:
                    msg = f"{name}: {each.says}" + (f" ({each.cure})" if each.cure else "")
                    raise Broken(msg)

    def group_is_well(self, group: str) -> None:
        """Raises Broken when doctor finds something bad in a group of its report."""
        for each in self.diagnosis.findings:
            if each.group == group and each.state is State.BAD:
                msg = f"{each.part}: {each.says} ({each.cure})"
                raise Broken(msg)

    def who(self, user: str = USER) -> Sequence[tuple[str, str]]:
        """The metadata by which a call over gRPC is that user's."""
        key = KEY if user == USER else OTHER_KEY
        return (("x-api-key", key),) if self.in_containers else (("x-consumer-username", user),)

    async def call(self, method: str, path: str, status: int, *, key: str = KEY, **given: Any) -> httpx.Response:
        """Calls the API with a key. Raises Broken unless the answer has this status."""
        headers = {"x-api-key": key, **given.pop("headers", {})}
        answer = await self.http.request(method, path, headers=headers, **given)
        expect(answer, status, f"{method} {path}")
        return answer

    @asynccontextmanager
    async def task(self, title: str, **headers: str) -> AsyncIterator[dict[str, Any]]:
        """A task of the user's, which is deleted when the block is left."""
        task: dict[str, Any] = (await self.call("POST", TASKS, 201, json={"title": title}, headers=headers)).json()
        try:
            yield task
        finally:
            await self.http.delete(f"{TASKS}/{task['id']}", headers={"x-api-key": KEY})


@asynccontextmanager
async def opened(diagnosis: Diagnosis, settings: DevSettings, ports: Mapping[str, int]) -> AsyncIterator[System]:
    """The system that a diagnosis has found; `ports` are those of the containers."""
    in_containers = not any(
        each.group == DEV and each.state is State.OK and each.seconds is not None for each in diagnosis.findings
    )
    gateway = f"http://localhost:{settings.ports['GATEWAY_PORT']}"
    port = ports["GATEWAY_GRPC_PORT"] if in_containers else settings.ports["TASK_GRPC_PORT"]
    options = [("grpc.enable_http_proxy", 0)]
    async with (
        httpx.AsyncClient(base_url=gateway, timeout=_SECONDS, trust_env=False) as http,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel,
    ):
        yield System(diagnosis, http, channel, in_containers, {**settings.ports, **ports})


def expect(answer: httpx.Response, status: int, what: str) -> None:
    """Raises Broken unless the answer has this status."""
    if answer.status_code != status:
        msg = f"{what} answers {answer.status_code}, not {status}: {answer.text[:200]}"
        raise Broken(msg)


async def eventually(look: Callable[[], Awaitable[T | None]], otherwise: str) -> T:
    """What `look` gives once it is something. Raises Broken after ten seconds."""
    deadline = time.monotonic() + _SECONDS
    while (found := await look()) is None:
        if time.monotonic() > deadline:
            raise Broken(otherwise)
        await asyncio.sleep(_PAUSE)
    return found
