"""Everything up, as a browser meets it: the gateway, nginx with the built page, the whole mesh, the queue."""

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
from tests.support.ports import free_port
from tests.support.stack.nginx import nginx
from tests.support.stack.page import built_page


@dataclass(frozen=True)
class User:
    """One who may call."""

    name: str

    @property
    def password(self) -> str:
        """For a browser to sign in with."""
        return gateway.password(self.name)

    @property
    def key(self) -> str:
        """For a program to send as x-api-key."""
        return gateway.key(self.name)


class Site:
    """The page at its address, and the mesh behind it."""

    def __init__(self, mesh: System, web_port: int, port: int, narrow_port: int) -> None:
        self.mesh = mesh
        self.url = _url(port)
        """Where the page is opened."""
        self.web_port = web_port
        """Where nginx is, which only the gateway should meet."""
        self._narrow_port = narrow_port
        self._names = iter(gateway.USERS)

    def new_user(self) -> User:
        """A user whom no other test has, and who owns nothing."""
        return User(next(self._names))

    def api(self, user: User) -> httpx.Client:
        """A client of the API: a program of the user's, beside the browser."""
        return httpx.Client(base_url=self.url, headers={"x-api-key": user.key}, trust_env=False, timeout=20)

    def create_behind_the_edge(self, user: User, title: str) -> None:
        """Creates a task over gRPC, as somebody does who needs no edge."""
        with grpc.insecure_channel(self.mesh.task_target) as channel:
            request = task_pb2.CreateTaskRequest(task=task_pb2.Task(title=title), request_id=title)
            metadata = (("x-consumer-username", user.name), ("x-mesh-token", TOKEN))
            task_pb2_grpc.TaskServiceStub(channel).CreateTask(request, timeout=10, metadata=metadata)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Kills the edge, so that streams end and requests fail with 502; afterwards it is started, and ready."""
        self.mesh.edge.kill()
        try:
            yield
        finally:
            self.mesh.edge.start()
            _wait_for(self.mesh.ready())

    @contextmanager
    def narrow(self, **limits: int) -> Iterator[str]:
        """A second gateway before the same page and mesh, with limits a minute: login, api, events; gives its URL."""
        with self.gateway(self._narrow_port, **limits):
            yield _url(self._narrow_port)

    @contextmanager
    def gateway(self, port: int, **limits: int) -> Iterator[None]:
        """A gateway as long as the block lasts."""
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
    """A site that is gone when the block ends."""
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
    # By this name a browser takes a cookie that is Secure without TLS.
    return f"http://localhost:{port}"


def _wait_for(what: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine in a thread of its own, for Playwright has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, what).result()


async def _answers(port: int, process: subprocess.Popen[bytes]) -> None:
    async def answers() -> bool:
        assert process.poll() is None, "the gateway has ended"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await eventually(answers, within=30)
