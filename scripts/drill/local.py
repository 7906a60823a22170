"""The hands that reach into `make dev`: a second connection to the SQLite file, signals, and the queue itself."""

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

STREAM = "task-events"
_SQLITE = "sqlite:///"


class Unreachable(Exception):
    """There is nothing that a drill could reach into; the message says what is missing."""


class LocalHands:
    """The mesh whose store, queue and notifier these are."""

    def __init__(self, store: Path, redis_url: str, notifier_pid: int) -> None:
        self._store = store
        self._redis_url = redis_url
        self._notifier_pid = notifier_pid

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> "LocalHands":
        """Those for the `make dev` with these settings. Raises Unreachable when it does not run, or with MongoDB."""
        settings = read(environment)
        if not settings.task_store_url.startswith(_SQLITE):
            msg = "the drills of make dev reach into SQLite; TASK_STORE_URL names another store"
            raise Unreachable(msg)
        pid = _listener(settings.ports["NOTIFY_GRPC_PORT"])
        return cls(Path(settings.task_store_url.removeprefix(_SQLITE)), settings.redis_url, pid)

    def hold_writes(self, held: float, free: float, stop: threading.Event) -> None:
        """See `FaultInjector`: SQLite lets one connection write at a time, whatever process it is in."""
        with closing(sqlite3.connect(self._store, isolation_level=None, timeout=30)) as connection:
            while not stop.is_set():
                connection.execute("BEGIN IMMEDIATE")
                stop.wait(held)
                connection.execute("ROLLBACK")
                stop.wait(free)

    def freeze_notifier(self) -> None:
        """See `FaultInjector`."""
        os.kill(self._notifier_pid, signal.SIGSTOP)

    def thaw_notifier(self) -> None:
        """See `FaultInjector`."""
        os.kill(self._notifier_pid, signal.SIGCONT)

    def poison(self) -> None:
        """See `FaultInjector`."""
        with redis.Redis.from_url(self._redis_url) as client:
            client.xadd(STREAM, {"id": "drill:1:created", "event": b"\xff"})


def _listener(port: int) -> int:
    """The process that listens on a port; raises Unreachable where none of this user does."""
    for each in psutil.net_connections("tcp"):
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port and each.pid is not None:
            return int(each.pid)
    msg = f"nobody listens on {port}: is `make dev` running?"
    raise Unreachable(msg)
