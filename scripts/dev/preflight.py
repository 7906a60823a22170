"""Checks before the start that the ports and the data folder are free."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.doctor.ports import bind_error, listeners


class Taken(Exception):
    """A port or the data folder is in use; the message names it, and the process if that is known."""


def check_ports(ports: Mapping[str, int]) -> None:
    """Raise Taken if the runner cannot listen on a port of 127.0.0.1. `ports` maps variables to ports."""
    problems = [problem for name, port in ports.items() if (problem := _problem(name, port))]
    if problems:
        raise Taken("\n".join(problems))


def _problem(name: str, port: int) -> str | None:
    match bind_error(port):
        case None:
            return None
        case PermissionError():
            return f"port {port} requires root: set {name} to a port above 1023"
    return f"port {port} is in use by {listeners(port)}: stop it, or set {name} to another port"


@contextmanager
def data_folder(path: Path) -> Iterator[None]:
    """Create the folder and lock it while the block runs. Raise Taken if another process has the lock.

    The kernel releases the lock when this process ends.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        msg = f"DATA_DIR {path} cannot be used: {error.strerror}"
        raise Taken(msg) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        msg = f"the data in {path} is in use by another `make dev`: stop it, or set DATA_DIR to another folder"
        raise Taken(msg) from error
    else:
        yield
    finally:
        os.close(lock)
