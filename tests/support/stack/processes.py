"""Runs the services as separate processes, started as in production and stopped by SIGTERM."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.support.edge_api.edge import token_file
from tests.support.ports import free_port

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


class Service:
    """A process `python -m MODULE` whose output goes to a file."""

    def __init__(
        self, module: str, env: Mapping[str, str], log: Path, options: Sequence[str] = (), cwd: Path | None = None
    ) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *options, "-m", module],
                cwd=cwd,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "LOG_FORMAT": "json", **env},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Return the exit code. Kill the process if it does not end in time."""
        try:
            return self._process.wait(_STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()

    def output(self) -> str:
        return self._log.read_text()

    def is_running(self) -> bool:
        return self._process.poll() is None


@contextmanager
def service(
    module: str, env: Mapping[str, str], log: Path, options: Sequence[str] = (), cwd: Path | None = None
) -> Iterator[Service]:
    """Run a service while the block runs; `options` are options of the Python interpreter."""
    process = Service(module, env, log, options, cwd)
    try:
        yield process
    finally:
        if process.is_running():
            process.send(signal.SIGTERM)
        process.wait()


def wait_for(url: str, process: Service, headers: Mapping[str, str] | None = None) -> None:
    """Wait until `url` responds with 200; fail after a timeout or if the process has ended."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert process.is_running(), process.output()
        assert time.monotonic() < deadline, f"{url} is not ready:\n{process.output()}"
        try:
            if httpx.get(url, headers=headers, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)


@contextmanager
def whole_mesh(directory: Path, redis_url: str, *, is_mono: bool = False) -> Iterator[str]:
    """Run the task service, the notification service and the edge, or all as one process; yield the edge's URL.

    The edge accepts TOKEN as the gateway's mesh token.
    """
    task_port, notify_port, port = free_port(), free_port(), free_port()
    shared = {
        "REDIS_URL": redis_url,
        "TASK_GRPC_TARGET": f"127.0.0.1:{task_port}",
        "NOTIFY_GRPC_TARGET": f"127.0.0.1:{notify_port}",
        "DRAIN_NOTICE_SECONDS": "0",
    }
    task = {"TASK_GRPC_PORT": str(task_port), "TASK_METRICS_PORT": str(free_port())}
    task["TASK_STORE_URL"] = f"sqlite:///{directory}/tasks.db"
    notify = {"NOTIFY_GRPC_PORT": str(notify_port), "NOTIFY_METRICS_PORT": str(free_port())}
    edge = {"EDGE_PORT": str(port), "EDGE_METRICS_PORT": str(free_port())}
    edge["MESH_TOKEN_FILE"] = str(token_file(directory))
    mesh = {"task_svc": task, "notify_svc": notify, "edge_api": edge}
    with ExitStack() as stack:
        for module, env in {"scripts.dev_mono": task | notify | edge}.items() if is_mono else mesh.items():
            process = stack.enter_context(service(module, shared | env, directory / f"{module}.log"))
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/readyz", process)
        yield url
