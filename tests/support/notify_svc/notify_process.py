"""The notification service in its own process."""

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.ports import free_port


class NotifyProcess:
    """`python -m notify_svc`, with its log in a file."""

    def __init__(self, redis_url: str, task_target: str, log: Path, **variables: str) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        self._log = log
        self._variables = variables | {
            "REDIS_URL": redis_url,
            "TASK_GRPC_TARGET": task_target,
            "NOTIFY_GRPC_PORT": str(self.port),
            "NOTIFY_METRICS_PORT": str(self.metrics_port),
            "DRAIN_NOTICE_SECONDS": "0",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process. It may take a second until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "notify_svc"],
                env={**os.environ, **self._variables},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self) -> int:
        """Stop the process with SIGTERM; return its exit status, within ten seconds."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, 10)

    def log(self) -> str:
        """Return the log."""
        return self._log.read_text(encoding="utf-8")

    async def says(self, text: str) -> None:
        """Wait until the log contains a text."""

        async def has() -> bool:
            return text in self.log()

        await eventually(has, within=20)

    def metrics(self) -> str:
        """Return the metrics page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as answer:
            page: bytes = answer.read()
        return page.decode()


@asynccontextmanager
async def notify_process(redis_url: str, task_target: str, log: Path, **variables: str) -> AsyncIterator[NotifyProcess]:
    """Start a process, and kill it at the end of the block."""
    process = NotifyProcess(redis_url, task_target, log, **variables)
    process.start()
    try:
        yield process
    finally:
        process.kill()
