"""A running system: its processes, and what they use."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests import ROOT

ALL = ("create", "get", "list", "update")
_SETTLED_PAUSE, _SETTLED_SHARE = 0.25, 0.15


@dataclass(frozen=True)
class Running:
    """A running system: its port for HTTP, its processes by name, and the operations that it has."""

    name: str
    port: int
    pids: Mapping[str, int]
    operations: Sequence[str] = ALL

    def cpu(self) -> dict[str, float]:
        """Return the CPU time of each process so far, in seconds."""
        times = {name: psutil.Process(pid).cpu_times() for name, pid in self.pids.items()}
        return {name: time.user + time.system for name, time in times.items()}

    def memory(self) -> dict[str, float]:
        """Return the memory of each process in bytes: PSS, which divides shared pages among their processes."""
        return {name: psutil.Process(pid).memory_full_info().pss for name, pid in self.pids.items()}

    async def settled(self) -> None:
        """Wait, at most a minute, until the system is idle: its background work for earlier requests is done."""
        async with asyncio.timeout(60):
            used = 1.0
            while used > _SETTLED_SHARE * _SETTLED_PAUSE:
                before = sum(self.cpu().values())
                await asyncio.sleep(_SETTLED_PAUSE)
                used = sum(self.cpu().values()) - before


Start = Callable[[Path], AbstractAsyncContextManager[Running]]


@contextmanager
def started(command: Sequence[str], output: Path | None = None, **variables: str) -> Iterator[psutil.Popen]:
    """Run a process in the checkout. After the block, stop it, or kill it after ten seconds."""
    with (output or Path(os.devnull)).open("ab") as file:
        errors = None if output is None else file
        process = psutil.Popen(command, cwd=ROOT, env={**os.environ, **variables}, stdout=file, stderr=errors)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Options:
    """How much to measure, and a function that reports progress."""

    rounds: int
    seconds: float
    backlog: int
    progress: Callable[[str], None]


def begin() -> Callable[[str], None]:
    """Return a function that reports progress on stderr, with the time since this call."""
    begun = time.monotonic()

    def progress(text: str) -> None:
        print(f"  {time.monotonic() - begun:4.0f} s  {text}", file=sys.stderr, flush=True)

    return progress
