"""Runs `make dev` in tests: on free ports, with its own data folder, and reads its output."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from scripts.dev.settings import PORTS
from tests import ROOT
from tests.support.ports import free_port

_QUIET = ("http_proxy", "https_proxy", "LOG_FORMAT", "LOG_LEVEL", "REDIS_URL", "TASK_STORE_URL", "MESH_TOKEN_FILE")


class DevRunner:
    """A running `python -m scripts.dev`. The folder `cwd` is the checkout, or contains stand-ins for its packages."""

    def __init__(
        self, data: Path, *, cwd: Path, prefix: Sequence[str] = (), options: Sequence[str] = (), **variables: str
    ) -> None:
        self.data = data
        self.ports = {name: free_port() for name in PORTS}
        ports = {name: str(port) for name, port in self.ports.items()}
        inherited = {name: value for name, value in os.environ.items() if name not in _QUIET}
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "scripts.dev", *(["--with-parent"] if prefix else []), *options],
            cwd=cwd,
            env={**inherited, **ports, "DATA_DIR": str(data), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._seen: set[psutil.Process] = set()
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read)

    @property
    def gateway(self) -> str:
        """The URL of the gateway."""
        return f"http://127.0.0.1:{self.ports['GATEWAY_PORT']}"

    @property
    def output(self) -> str:
        """The output so far."""
        return "".join(self._lines)

    def read(self) -> None:
        """Start to read the output."""
        self._reader.start()

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Wait until the output contains `text`; fail after `seconds`."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert time.monotonic() < deadline, f"no {text!r} within {seconds} s in:\n{self.output}"
            assert self._process.poll() is None or text in self.settled(), f"ended without {text!r}:\n{self.output}"
            time.sleep(0.02)

    def settled(self) -> str:
        """Return the complete output after the runner has ended."""
        self._reader.join(10)
        return self.output

    def descendants(self) -> dict[str, psutil.Process]:
        """Return the runner's child processes by the last word of their command; `left_behind` checks them later."""
        below: dict[str, psutil.Process] = {}
        for each in _below(psutil.Process(self.pid)):
            # The gateway runs kong/render, which has short-lived child processes.
            with suppress(psutil.NoSuchProcess):
                words = each.cmdline() or [each.name()]
                below["valkey" if "valkey" in each.name() else words[-1]] = each
        self._seen.update(below.values())
        return below

    @property
    def running(self) -> bool:
        """Whether the runner is still running."""
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send the runner a signal."""
        self._process.send_signal(number)

    def wait(self, seconds: float = 40) -> int:
        """Wait until the runner ends and return its exit status."""
        return self._process.wait(seconds)

    def left_behind(self, seconds: float = 10) -> list[psutil.Process]:
        """Return the processes seen by `descendants` that are still running after `seconds`."""
        _, alive = psutil.wait_procs(self._seen, timeout=seconds)
        return alive

    def close(self) -> None:
        """Kill all processes that are still running."""
        if self._process.poll() is None:
            self.descendants()
            self._process.kill()
        self._process.wait(10)
        for each in self.left_behind(2):
            each.kill()
        if self._reader.ident is not None:
            self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line.decode(errors="replace"))


@contextmanager
def running(
    data: Path,
    *,
    cwd: Path = ROOT,
    prefix: Sequence[str] = (),
    options: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> Iterator[DevRunner]:
    """Run `make dev` while the block runs; then end it and all its processes."""
    data.mkdir(parents=True, exist_ok=True)
    runner = DevRunner(data, cwd=cwd, prefix=prefix, options=options, **(variables or {}))
    try:
        runner.read()
        yield runner
    finally:
        runner.close()


def _below(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
