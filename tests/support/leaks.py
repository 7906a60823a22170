"""The open resources of this process, for tests that nothing leaks."""

import asyncio
import gc
from pathlib import Path

from tests.support.eventually import eventually


def open_files() -> int:
    """Return the number of open file descriptors."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def left_behind(*, tasks: int, files: int) -> None:
    """Wait until there are at most so many tasks and open files; fail if some are left."""

    async def is_clean() -> bool:
        gc.collect()
        return len(asyncio.all_tasks()) <= tasks and open_files() <= files

    try:
        await eventually(is_clean)
    except TimeoutError:
        more = len(asyncio.all_tasks()) - tasks, open_files() - files
        raise AssertionError(f"left behind: {more[0]} tasks, {more[1]} files") from None
