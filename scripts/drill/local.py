"""Injects faults into `make dev`: with a lock on the SQLite file, with signals, and in the queue."""

import os
import signal
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psutil
import redis

from scripts.dev.settings import read

_SQLITE = "sqlite:///"


class Unreachable(Exception):
    """A drill cannot reach the system; the message gives the reason."""


class LocalInjector:
    """The `FaultInjector` for processes on this machine."""

    def __init__(self, store: Path, redis_url: str, notifier_pid: int) -> None:
        self._store = store
        self._redis_url = redis_url
        self._notifier_pid = notifier_pid

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> "LocalInjector":
        """Return the injector for the `make dev` with these settings. Raise Unreachable."""
        settings = read(environment)
        if not settings.task_store_url.startswith(_SQLITE):
            msg = f"with make dev, drills need a SQLite store, but TASK_STORE_URL does not start with {_SQLITE}"
            raise Unreachable(msg)
        pid = _listener(settings.ports["NOTIFY_GRPC_PORT"])
        return cls(Path(settings.task_store_url.removeprefix(_SQLITE)), settings.redis_url, pid)

    def block_writes(self, blocked: float, free: float, stop: threading.Event) -> None:
        """Hold SQLite's write lock, which only one connection of all processes can hold."""
        with closing(sqlite3.connect(self._store, isolation_level=None, timeout=30)) as connection:
            while not stop.is_set():
                connection.execute("BEGIN IMMEDIATE")
                stop.wait(blocked)
                connection.execute("ROLLBACK")
                stop.wait(free)

    def freeze_notifier(self, stop: threading.Event) -> None:
        """Send SIGSTOP, later SIGCONT."""
        os.kill(self._notifier_pid, signal.SIGSTOP)
        try:
            stop.wait()
        finally:
            os.kill(self._notifier_pid, signal.SIGCONT)

    def publish_malformed_event(self) -> None:
        """Add bytes that are not a protobuf message."""
        with redis.Redis.from_url(self._redis_url) as client:
            client.xadd("task-events", {"id": "drill:1:created", "event": b"\xff"})


def _listener(port: int) -> int:
    for each in psutil.net_connections("tcp"):
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port and each.pid is not None:
            return int(each.pid)
    msg = f"no process of yours listens on port {port}; is `make dev` running?"
    raise Unreachable(msg)
