"""Ties a process's life to its parent's, so that not even kill -9 of the runner leaves anything behind.

Linux does this (prctl, PR_SET_PDEATHSIG). Elsewhere a runner that is killed by kill -9 leaves its processes running;
the next start names them, since they hold its ports.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def to_parent(number: signal.Signals, parent: int) -> Callable[[], None]:
    """A function that makes the kernel send its process the signal `number` when `parent`, its parent, ends.

    Made before a fork and called after it, it imports nothing and takes no lock.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl, kill, pid, ppid = ctypes.CDLL(None).prctl, os.kill, os.getpid, os.getppid

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if ppid() != parent:  # it ended before the kernel knew
            kill(pid(), number)

    return tie
