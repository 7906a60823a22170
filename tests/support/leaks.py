"""What this process holds on to: for tests that nothing is left behind."""

import asyncio
import gc
from pathlib import Path

from tests.support.eventually import eventually


def open_files() -> int:
    """How many file descriptors are open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def left_behind(*, tasks: int, files: int) -> None:
    """Waits until no more tasks and open files are there than before; fails when some stay."""

    async def is_clean() -> bool:
        gc.collect()
        return len(asyncio.all_tasks()) <= tasks and open_files() <= files

    try:
        await eventually(is_clean)
    except TimeoutError:
        more = len(asyncio.all_tasks()) - tasks, open_files() - files
        raise AssertionError(f"left behind: {more[0]} tasks, {more[1]} files") from None
