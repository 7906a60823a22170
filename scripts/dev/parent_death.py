"""Ends a process when its parent ends, so that no process keeps running if the runner is killed by SIGKILL.

This needs Linux (prctl, PR_SET_PDEATHSIG). On other systems, the processes keep running, and the next start reports
them because they use its ports.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def to_parent(number: signal.Signals, parent: int) -> Callable[[], None]:
    """Return a function for the child process: the kernel then sends it the signal `number` when `parent` ends.

    The function is safe to call between fork and exec: it imports nothing and takes no lock.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl, kill, pid, ppid = ctypes.CDLL(None).prctl, os.kill, os.getpid, os.getppid

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if ppid() != parent:  # the parent ended before prctl
            kill(pid(), number)

    return tie
