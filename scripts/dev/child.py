"""A process of the runner: its output, its exit status, and how to stop it."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence

from scripts.dev import parent_death
from scripts.dev.console import Console

_LAST_LINES = 1.0
_AFTER_KILL = 5.0


class Child:
    """A running process that writes its lines to the console."""

    def __init__(self, name: str, process: Process, console: Console) -> None:
        assert process.stdout is not None  # noqa: S101 (both are pipes; for the type checker)
        assert process.stderr is not None  # noqa: S101
        self.name = name
        self._process = process
        self._copies = [asyncio.create_task(console.copy(name, stream)) for stream in (process.stdout, process.stderr)]

    @classmethod
    async def start(
        cls, name: str, command: Sequence[str], environment: Mapping[str, str], console: Console
    ) -> "Child":
        """Start a process in a new session, so that Ctrl-C in the terminal signals the runner only."""
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
            # Not SIGTERM: without a reader for its output, a process can fail to drain. No data is lost by SIGKILL.
            preexec_fn=parent_death.to_parent(signal.SIGKILL, os.getpid()),
        )
        return cls(name, process, console)

    async def ended(self) -> int:
        """Wait for the process and its output to end. Return its exit status, or minus the signal that killed it."""
        status = await self._process.wait()
        await asyncio.wait(self._copies, timeout=_LAST_LINES)
        return status

    async def stop(self, seconds: float) -> int:
        """Send SIGTERM, and SIGKILL after `seconds`. Return the status as `ended` does."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            status = await asyncio.wait_for(self.ended(), seconds)
        except TimeoutError:
            status = -signal.SIGKILL
        self.kill()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended(), _AFTER_KILL)
        for copy in self._copies:
            copy.cancel()
        return status

    def kill(self) -> None:
        """Kill the process and all processes that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def describe(status: int) -> str:
    """Describe an exit status."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
