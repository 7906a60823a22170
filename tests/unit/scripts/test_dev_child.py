"""A process of `make dev`, from its start to its end."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator

import psutil
import pytest

from scripts.dev.child import Child, describe
from scripts.dev.console import Console

_STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(below.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


async def test_a_process_that_ignores_sigterm_is_killed_with_its_children(pipe: tuple[int, int]) -> None:
    console = Console(pipe[1], ["stubborn"], coloured=False)
    child = await Child.start("stubborn", [sys.executable, "-c", _STUBBORN], os.environ, console)
    line = await asyncio.wait_for(asyncio.to_thread(os.read, pipe[0], 1000), 10)
    below = psutil.Process(int(line.removeprefix(b"stubborn | ")))
    assert await child.stop(0.2) == -signal.SIGKILL
    _, alive = psutil.wait_procs([below], timeout=5)
    assert alive == []


async def test_the_last_lines_are_written_before_the_end_is_reported(pipe: tuple[int, int]) -> None:
    console = Console(pipe[1], ["brief"], coloured=True)
    child = await Child.start("brief", [sys.executable, "-c", "print('last words', end='')"], os.environ, console)
    assert await child.ended() == 0
    await console.flush(5)
    assert os.read(pipe[0], 1000) == b"\x1b[36mbrief | \x1b[0mlast words\n"


def test_an_exit_status_is_described() -> None:
    assert describe(3) == "ended with exit status 3"
    assert describe(-9) == "was killed by SIGKILL"
