"""The whole system for browser tests: the gateway, nginx with the built page, the mesh, and the queue."""

import asyncio
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
from task.v1 import task_pb2, task_pb2_grpc

from tests import ROOT
from tests.browser.harness import gateway
from tests.faults.harness.system import System, system
from tests.support.edge_api.edge import TOKEN, token_file
from tests.support.eventually import eventually
from tests.support.ports import accepts_connections, free_port
from tests.support.stack.nginx import nginx
from tests.support.stack.page import built_page


@dataclass(frozen=True)
class User:
    """A user of the gateway."""

    name: str

    @property
    def password(self) -> str:
        """The password for signing in."""
        return gateway.password(self.name)

    @property
    def key(self) -> str:
        """The API key for the x-api-key header."""
        return gateway.key(self.name)


class Site:
    """The running gateway with the page and the mesh behind it."""

    def __init__(self, mesh: System, web_port: int, port: int, narrow_port: int) -> None:
        self.mesh = mesh
        self.url = _url(port)
        """The URL of the page."""
        self.web_port = web_port
        """The port of nginx, which normally only the gateway uses."""
        self._narrow_port = narrow_port
        self._names = iter(gateway.USERS)

    def new_user(self) -> User:
        """Return a user that no other test uses, without tasks."""
        return User(next(self._names))

    def api(self, user: User) -> httpx.Client:
        """Return an API client with the user's key."""
        return httpx.Client(base_url=self.url, headers={"x-api-key": user.key}, trust_env=False, timeout=20)

    def create_behind_the_edge(self, user: User, title: str) -> None:
        """Create a task over gRPC, without the edge."""
        with grpc.insecure_channel(self.mesh.task_target) as channel:
            request = task_pb2.CreateTaskRequest(task=task_pb2.Task(title=title), request_id=title)
            metadata = (("x-consumer-username", user.name), ("x-mesh-token", TOKEN))
            task_pb2_grpc.TaskServiceStub(channel).CreateTask(request, timeout=10, metadata=metadata)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Kill the edge, so that streams end and requests fail with 502. Restart it at the end of the block."""
        self.mesh.edge.kill()
        try:
            yield
        finally:
            self.mesh.edge.start()
            _wait_for(self.mesh.ready())

    @contextmanager
    def narrow(self, **limits: int) -> Iterator[str]:
        """Run a second gateway with limits per minute (login, api, events) and yield its URL."""
        with self.gateway(self._narrow_port, **limits):
            yield _url(self._narrow_port)

    @contextmanager
    def gateway(self, port: int, **limits: int) -> Iterator[None]:
        """Run a gateway until the block ends."""
        words = [*map(str, (port, self.mesh.edge_port, self.web_port)), *(f"{key}={limits[key]}" for key in limits)]
        command = [sys.executable, "-m", "tests.browser.harness.gateway", *words]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            _wait_for(_answers(port, process))
            yield
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Run the whole system until the block ends."""
    port, narrow_port = free_port(), free_port()
    token, origins = str(token_file(folder)), f"{_url(port)},{_url(narrow_port)}"
    with (
        nginx(built_page(), folder) as web_port,
        system(folder / "mesh", MESH_TOKEN_FILE=token, PUBLIC_ORIGINS=origins) as mesh,
    ):
        found = Site(mesh, web_port, port, narrow_port)
        with found.gateway(port):
            _wait_for(mesh.start())
            yield found


def _url(port: int) -> str:
    # For localhost, a browser accepts a Secure cookie without TLS.
    return f"http://localhost:{port}"


def _wait_for(what: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a separate thread, because Playwright has an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, what).result()


async def _answers(port: int, process: subprocess.Popen[bytes]) -> None:
    async def answers() -> bool:
        assert process.poll() is None, "the gateway exited"
        return await accepts_connections(port)

    await eventually(answers, within=30)
