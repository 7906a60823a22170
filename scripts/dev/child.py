"""A process of the runner: its output, its exit status, and how to stop it."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence

from scripts.dev import parent_death
from scripts.dev.console import Console

_LAST_LINES = 1.0
_AFTER_KILL = 5.0


class Child:
    """A running process that writes its lines to the console."""

    def __init__(self, name: str, process: Process, copy: asyncio.Task[None]) -> None:
        self.name = name
        self._process = process
        self._copy = copy

    @classmethod
    async def start(
        cls, name: str, command: Sequence[str], environment: Mapping[str, str], console: Console
    ) -> "Child":
        """Start a process in a new session, so that Ctrl-C in the terminal signals the runner only."""
        output, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=environment,
                stdin=DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
                # Not SIGTERM: without a reader for its output, a process can fail to drain. No data is lost by SIGKILL.
                preexec_fn=parent_death.to_parent(signal.SIGKILL, os.getpid()),
            )
        finally:
            os.close(write_end)
        return cls(name, process, asyncio.create_task(console.copy(name, output)))

    async def ended(self) -> int:
        """Wait for the process and its output to end. Return its exit status, or minus the signal that killed it."""
        status = await self._process.wait()
        await asyncio.wait([self._copy], timeout=_LAST_LINES)
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
        self._copy.cancel()
        return status

    def kill(self) -> None:
        """Kill the process and all processes that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def describe(status: int) -> str:
    """Describe an exit status."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
