"""One process that the runner started: its output, its end, and how it is ended."""

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
    """A running process whose lines go to the console."""

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
        """Starts a process in a session of its own: a terminal's Ctrl-C reaches the runner alone."""
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
            # Not SIGTERM: without a reader of its log a process may fail to drain, and all of them survive kill -9.
            preexec_fn=parent_death.to_parent(signal.SIGKILL, os.getpid()),
        )
        return cls(name, process, console)

    async def ended(self) -> int:
        """Waits for the end of the process and of its output; gives its status, or minus the signal that ended it."""
        status = await self._process.wait()
        await asyncio.wait(self._copies, timeout=_LAST_LINES)
        return status

    async def stop(self, seconds: float) -> int:
        """Ends the process, by force after `seconds`; gives its status as `ended` does."""
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
        """Ends the process and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def describe(status: int) -> str:
    """An exit status in words."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
