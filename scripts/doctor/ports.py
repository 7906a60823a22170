"""The lock of the data folder and the ports: they show whether `make dev` runs. Works without any package."""

import fcntl
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scripts.dev.settings import DevSettings
from scripts.doctor.containers import Published
from scripts.doctor.findings import PORTS, Finding, State


def is_locked(data_dir: Path) -> bool:
    """Return whether a `make dev` with this data folder runs: it holds the lock until it ends."""
    try:
        with (data_dir / ".lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    return False


def check(settings: DevSettings, published: Published, *, dev_runs: bool) -> Iterator[Finding]:
    """Yield a finding for each port. `make dev` starts only if all are free, so while it runs they are its own."""
    containers = {port: service for (service, _), port in published.items()}
    for variable, port in settings.ports.items():
        state, cure, says = State.OK, "", "free"
        if port in containers or bind_error(port):
            says = f"the container {containers[port]}" if port in containers else listeners(port)
            if port in containers or not dev_runs:
                state, says, cure = State.BAD, f"taken by {says}", f"stop it, or set {variable} to another port"
        yield Finding(group=PORTS, part=variable, state=state, where=f"127.0.0.1:{port}", says=says, cure=cure)


def bind_error(port: int) -> OSError | None:
    """Return why a server could not listen on a port of 127.0.0.1, or None if it could."""
    with socket.socket() as probe:
        # As the servers do: connections in TIME_WAIT do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error
    return None


def listeners(port: int) -> str:
    """Describe the processes that listen on a port, if psutil is installed and this user may see them."""
    names = []
    with suppress(ImportError):
        import psutil

        with suppress(psutil.Error):
            for process in map(psutil.Process, listening_pids(port)):
                command = " ".join(process.cmdline()[1:]).strip().removeprefix("-m ")[:60] or process.name()
                names.append(f"{command} (process {process.pid})")
    return " and ".join(names) or "another process"


def listening_pids(port: int) -> list[int]:
    """Return the processes that listen on a port, as far as this user may see them. Raise psutil.Error."""
    import psutil

    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    return list(dict.fromkeys(each.pid for each in listening if each.laddr and each.laddr.port == port and each.pid))
