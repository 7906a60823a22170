"""Injects faults into `make dev`: with a lock on the SQLite file, with signals, and in the queue."""

import os
import signal
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import redis

from scripts.dev.settings import DevSettings
from scripts.doctor.ports import listening_pids
from scripts.drill.drills import DrillError


class LocalInjector:
    """The `FaultInjector` for processes on this machine."""

    def __init__(self, store: Path, redis_url: str, notifier_pid: int) -> None:
        self._store, self._redis_url, self._notifier_pid = store, redis_url, notifier_pid

    @classmethod
    def find(cls, settings: DevSettings) -> "LocalInjector":
        """Return the injector for the `make dev` with these settings. Raise DrillError."""
        store, port = settings.task_store_url.removeprefix("sqlite:///"), settings.ports["NOTIFY_GRPC_PORT"]
        if store == settings.task_store_url:
            msg = "with make dev, drills need a SQLite store, but TASK_STORE_URL does not start with sqlite:///"
            raise DrillError(msg)
        for pid in listening_pids(port):
            return cls(Path(store), settings.redis_url, pid)
        msg = f"no process of yours listens on port {port}; is `make dev` running?"
        raise DrillError(msg)

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
        stop.wait()
        with suppress(ProcessLookupError):  # `make dev` has ended in the meantime
            os.kill(self._notifier_pid, signal.SIGCONT)

    def publish_malformed_event(self) -> None:
        """Add bytes that are not a protobuf message."""
        with redis.Redis.from_url(self._redis_url) as client:
            client.xadd("task-events", {"id": "drill:1:created", "event": b"\xff"})
