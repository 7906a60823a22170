"""The ports of `make dev`: free, held by a service of this checkout, or by somebody else."""

from collections.abc import Iterator
from pathlib import Path

import psutil

from scripts.dev.parts import VITE
from scripts.dev.services import GRPC_SERVICES
from scripts.dev.settings import DevSettings
from scripts.doctor.findings import Finding, State

GROUP = "ports of make dev"
_OURS = ("kong.dev_gateway", VITE, "edge_api", *(each.name for each in GRPC_SERVICES))


def ports(settings: DevSettings, root: Path) -> Iterator[Finding]:
    """A finding for each port of the checkout in `root`."""
    listeners = _listeners()
    for variable, port in settings.ports.items():
        where = f"127.0.0.1:{port}"
        if port not in listeners:
            yield Finding(GROUP, variable, State.OK, "free", where=where)
            continue
        processes = [process for pid in listeners[port] if (process := _process(pid))]
        named = " and ".join(_describe(process) for process in processes) or "a process of another user"
        if processes and all(_is_ours(process, root, settings.data_dir) for process in processes):
            yield Finding(GROUP, variable, State.OK, named, where=where)
        else:
            cure = f"end that, or set {variable} to another port"
            yield Finding(GROUP, variable, State.BAD, f"taken by {named}", cure, where)


def _listeners() -> dict[int, list[int]]:
    """Who listens on this machine: pids by port, as far as this user may see them."""
    found: dict[int, list[int]] = {}
    try:
        for each in psutil.net_connections(kind="tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr:
                pids = found.setdefault(each.laddr.port, [])
                if each.pid and each.pid not in pids:
                    pids.append(each.pid)
    except psutil.Error:
        return {}  # some systems show this to their administrators alone
    return found


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _is_ours(process: psutil.Process, root: Path, data: Path) -> bool:
    try:
        folder = Path(process.cwd())
    except psutil.Error:
        return False
    # The queue's server works in the folder of its data.
    return folder == root if _program(process) in _OURS else data in folder.parents


def _program(process: psutil.Process) -> str:
    """The M of `python -m M`, or the page's server, or nothing."""
    try:
        command = process.cmdline()
    except psutil.Error:
        return ""
    if command[1:2] == ["-m"] and len(command) > 2:
        return command[2]
    return VITE if command[1:2] == [VITE] else ""


def _describe(process: psutil.Process) -> str:
    try:
        return f"{_program(process) or process.name()} (process {process.pid})"
    except psutil.Error:
        return f"process {process.pid}"
