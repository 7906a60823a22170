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
        if port in containers or not _is_free(port):
            says = f"the container {containers[port]}" if port in containers else listeners(port)
            if port in containers or not dev_runs:
                state, says, cure = State.BAD, f"taken by {says}", f"stop it, or set {variable} to another port"
        yield Finding(group=PORTS, part=variable, state=state, where=f"127.0.0.1:{port}", says=says, cure=cure)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def listeners(port: int) -> str:
    """Return the processes that listen on a port, if psutil is installed and this user may see them."""
    names = []
    with suppress(ImportError):
        import psutil

        with suppress(psutil.Error):
            for each in psutil.net_connections("tcp"):
                if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port and each.pid:
                    process = psutil.Process(each.pid)
                    command = " ".join(process.cmdline()[1:]).strip().removeprefix("-m ")[:60] or process.name()
                    names.append(f"{command} (process {each.pid})")
    return " and ".join(dict.fromkeys(names)) or "another process"
