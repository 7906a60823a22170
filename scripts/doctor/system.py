"""The running system as its clients see it, over HTTP and gRPC, with the users of kong/demo-users.yml."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import httpx
from task.v1 import task_pb2, task_pb2_grpc

from scripts.doctor.containers import Published
from scripts.doctor.findings import DEV, UP, Problem, Report, State

USER, OTHER_USER = "guest", "demo"
TASKS = "/api/v1/tasks"
_CONTAINERS = {"queue": "redis", "tasks": "mongo"}
_T = TypeVar("_T")


def ensure(condition: object, otherwise: str) -> None:
    """Raise Problem with this message unless the condition is true."""
    if not condition:
        raise Problem(otherwise)


async def eventually(call: Callable[[], Awaitable[_T | None]], otherwise: str) -> _T:
    """Return the first result that is not None. Raise Problem with this message after ten seconds."""
    for _ in range(100):
        if (found := await call()) is not None:
            return found
        await asyncio.sleep(0.1)
    raise Problem(otherwise)


@dataclass(frozen=True)
class System:
    """What doctor has found, and how to reach the system."""

    report: Report
    http: httpx.AsyncClient
    """For the gateway; without a credential."""
    channel: grpc.aio.Channel
    """To the task service in `make dev`, to Kong in `make up`."""
    published: Published

    @property
    def in_containers(self) -> bool:
        """Return whether `make up` runs, and `make dev` does not."""
        return DEV not in self.report.running

    async def require(self, *names: str) -> None:
        """Raise Problem unless doctor has found these parts, or groups of parts, without a problem."""
        for name in names:
            here = (UP, _CONTAINERS.get(name, name.replace("_", "-"))) if self.in_containers else (DEV, name)
            found = [each for each in self.report.findings if name == each.group or here == (each.group, each.part)]
            ensure(found, f"{here[1]} is not running")
            for each in found:
                ensure(each.state is not State.BAD, f"{each.part}: {each.says} ({each.cure})")

    async def require_monitoring(self, container: str) -> None:
        """The same for a container that only `make up` starts."""
        if all(each.part != container for each in self.report.findings):
            raise Problem("skipped: `make dev` and `make up-lite` start no monitoring", state=State.NOTE)
        await self.require(container)

    async def request(
        self, method: str, path: str, status: int, has: Mapping[str, str] | None = None, user: str = USER, **given: Any
    ) -> httpx.Response:
        """Send a request with the API key of a user, or with none.

        Raise Problem unless the response has this status, and each of these headers with this text in it.
        """
        headers = {**({"x-api-key": f"{user}-key"} if user else {}), **given.pop("headers", {})}
        response = await self.http.request(method, path, headers=headers, **given)
        returns = f"{method} {path} returns {response.status_code}"
        ensure(response.status_code == status, f"{returns}, not {status}: {response.text[:200]}")
        for name, text in (has or {}).items():
            value = response.headers.get(name)
            ensure(value is not None and text in value, f"{returns} with {name}: {value}, expected: {text}")
        return response

    async def call(self, method: str, code: str = "OK", user: str = USER, **fields: Any) -> Any:
        """Call the task service as a user. Raise Problem unless the call ends with this status code."""
        caller = ("x-api-key", f"{user}-key") if self.in_containers else ("x-consumer-username", user)
        request = getattr(task_pb2, f"{method}Request")(**fields)
        response, returned, details = None, "OK", ""
        try:
            response = await getattr(task_pb2_grpc.TaskServiceStub(self.channel), method)(request, metadata=(caller,))
        except grpc.aio.AioRpcError as error:
            returned, details = error.code().name, error.details() or ""
        ensure(returned == code, f"{method} returns {returned}, not {code}: {details}")
        return response

    @asynccontextmanager
    async def task(self, **headers: str) -> AsyncIterator[str]:
        """Create a task, yield its ID, and delete it at the end of the block."""
        task = (await self.request("POST", TASKS, 201, json={"title": "verify"}, headers=headers)).json()["id"]
        try:
            yield task
        finally:
            await self.request("DELETE", f"{TASKS}/{task}", 204)
