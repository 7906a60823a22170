"""A server with MongoDB's wire protocol for tests: nx-27017, from its own virtual environment."""

import asyncio
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pymongo
from pymongo.errors import PyMongoError

from tests import ROOT
from tests.support.ports import free_port

_PROGRAM = ROOT / ".venv-tools" / "bin" / "nx-27017"
_START_SECONDS = 20.0
_databases = itertools.count()


class MongoServer:
    """A server at a URL with or without a database."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        return urlsplit(self._url)._replace(path=f"/{database}").geturl()


class Nx27017(MongoServer):
    """One server on a free port; its data survives `kill` and `start`."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        super().__init__(f"mongodb://127.0.0.1:{self.port}/")
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it responds."""
        self._directory.mkdir(exist_ok=True)
        files = {name: self._directory / name for name in ("data", "log", "pid", "output")}
        with files["output"].open("ab") as output:
            self._process = subprocess.Popen(
                [
                    str(_PROGRAM),
                    *("--host", "127.0.0.1", "--port", str(self.port), "--data-dir", str(files["data"])),
                    *("--log-file", str(files["log"]), "--pid-file", str(files["pid"])),
                ],
                stdout=output,
                stderr=output,
            )
        _wait_for(self.url("admin"))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def restart(self) -> None:
        """Kill the server and start it again on the same data."""
        await asyncio.to_thread(self.kill)
        await asyncio.to_thread(self.start)


@contextmanager
def database(server: MongoServer) -> Iterator[str]:
    """Yield the URL of a database that no other test or run uses; drop it at the end."""
    name = f"taskmesh_test_{os.getpid()}_{next(_databases)}"
    yield server.url(name)
    with pymongo.MongoClient[dict[str, object]](server.url(name)) as client:
        client.drop_database(name)


def _wait_for(url: str) -> None:
    until = time.monotonic() + _START_SECONDS
    with pymongo.MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=200) as client:
        while True:
            try:
                client.admin.command("ping")
                return
            except PyMongoError:
                if time.monotonic() > until:
                    raise
