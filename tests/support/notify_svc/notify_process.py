"""The notification service as a process of its own."""

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
        """Starts it; it may take a second to be there."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "notify_svc"],
                env={**os.environ, **self._variables},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """Ends it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self) -> int:
        """Asks it to stop; returns its exit status within ten seconds."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, 10)

    def log(self) -> str:
        """All it has written."""
        return self._log.read_text(encoding="utf-8")

    async def says(self, text: str) -> None:
        """Waits until its log contains a text."""

        async def has() -> bool:
            return text in self.log()

        await eventually(has, within=20)

    def metrics(self) -> str:
        """Its page of metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as answer:
            page: bytes = answer.read()
        return page.decode()


@asynccontextmanager
async def notify_process(redis_url: str, task_target: str, log: Path, **variables: str) -> AsyncIterator[NotifyProcess]:
    """A process that has been started, and is gone after the block however it ends."""
    process = NotifyProcess(redis_url, task_target, log, **variables)
    process.start()
    try:
        yield process
    finally:
        process.kill()
