"""What must be free before anything is started: the ports, and the data folder, which two copies must not share."""

import fcntl
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil


class Taken(Exception):
    """Somebody else has what we need; the message says what, and who where that can be known."""


def check_ports(ports: Mapping[str, int]) -> None:
    """Raises Taken when any port cannot be listened on at 127.0.0.1; `ports` are by the variable that sets each."""
    problems = [problem for name, port in ports.items() if (problem := _problem(name, port))]
    if problems:
        raise Taken("\n".join(problems))


def _problem(name: str, port: int) -> str | None:
    with socket.socket() as probe:
        # As the servers do: connections that are only just closed are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return f"port {port} needs more rights than you have: set {name} to one above 1023"
        except OSError:
            return f"port {port} is taken by {_holder(port)}: end that, or set {name} to another port"
    return None


def _holder(port: int) -> str:
    try:
        pids = {
            each.pid
            for each in psutil.net_connections(kind="tcp")
            if each.pid and each.laddr and each.laddr.port == port and each.status == psutil.CONN_LISTEN
        }
        return " and ".join(_describe(pid) for pid in sorted(pids)) or "a process of another user"
    except psutil.Error:
        return "another process"


def _describe(pid: int) -> str:
    command = " ".join(psutil.Process(pid).cmdline()) or psutil.Process(pid).name()
    return f"process {pid} ({command if len(command) <= 100 else command[:99] + '…'})"


@contextmanager
def data_folder(path: Path) -> Iterator[None]:
    """Makes the folder and keeps it for this process as long as the block lasts; raises Taken when another has it.

    The lock goes when this process ends, however it ends.
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
        msg = f"the data in {path} is in use by another `make dev`: end that, or set DATA_DIR to another folder"
        raise Taken(msg) from error
    else:
        yield
    finally:
        os.close(lock)
