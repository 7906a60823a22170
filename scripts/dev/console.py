"""Writes whole lines to the terminal, each with the name of its process."""

import asyncio
import contextlib
import math
import os
import queue
import threading
import time
from collections.abc import Collection, Iterator

_MOST_CHUNKS = 100
_LONGEST_LINE = 64 * 1024
_COLOURS = (36, 32, 33, 35, 34, 31)
_PAUSE = 0.01
_GATHER_SECONDS = 0.02


class Console:
    """Writes lines to a file descriptor in a separate thread, so that a slow terminal never delays a signal handler."""

    def __init__(self, descriptor: int, names: Collection[str], *, coloured: bool) -> None:
        self._descriptor = descriptor
        self._prefixes = dict(_prefixes(names, coloured=coloured))
        self._chunks: queue.Queue[bytes] = queue.Queue(_MOST_CHUNKS)
        self._patient_until = math.inf
        threading.Thread(target=self._write, daemon=True).start()

    async def say(self, text: str) -> None:
        """Write lines of the runner itself."""
        await self._put(text.encode(errors="replace"))

    async def copy(self, name: str, output: int) -> None:
        """Write the lines of a process's output, a pipe, until it ends. Split lines longer than 64 KiB."""
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb")
        )
        prefix, rest = self._prefixes[name], b""
        with contextlib.closing(transport):
            while chunk := await stream.read(_LONGEST_LINE):
                # Reading and writing many lines together takes far less of the services' CPU time.
                transport.pause_reading()
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > _LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                if lines:
                    await self._put(b"\n".join(prefix + line.rstrip(b"\r") for line in lines))
                await asyncio.sleep(_GATHER_SECONDS)
                transport.resume_reading()
            if rest:
                await self._put(prefix + rest)

    def hurry(self, seconds: float) -> None:
        """Wait at most `seconds` longer for a terminal that does not read; then drop lines."""
        self._patient_until = time.monotonic() + seconds

    async def flush(self, seconds: float) -> None:
        """Wait until all lines are written, at most `seconds`."""
        deadline = time.monotonic() + seconds
        while self._chunks.unfinished_tasks and time.monotonic() < deadline:  # noqa: ASYNC110 (a thread empties it)
            await asyncio.sleep(_PAUSE)

    async def _put(self, lines: bytes) -> None:
        while self._chunks.full() and time.monotonic() < self._patient_until:  # noqa: ASYNC110 (a thread empties it)
            await asyncio.sleep(_PAUSE)
        with contextlib.suppress(queue.Full):
            self._chunks.put_nowait(lines + b"\n")

    def _write(self) -> None:
        while True:
            rest = self._chunks.get()
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                pass  # the terminal is closed; SIGHUP stops the runner
            self._chunks.task_done()


def _prefixes(names: Collection[str], *, coloured: bool) -> Iterator[tuple[str, bytes]]:
    width = max((len(name) for name in names), default=0)
    for number, name in enumerate(names):
        text = f"{name:<{width}} | "
        if coloured:
            text = f"\x1b[{_COLOURS[number % len(_COLOURS)]}m{text}\x1b[0m"
        yield name, text.encode()
