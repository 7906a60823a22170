"""Runs the services as `make dev` does, without the gateway and the page.

`python -m benchmarks.dev_services through` has a file in place of the terminal. With `past`, the services write their
logs to files of their own, and the runner has nothing to copy.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from benchmarks.running import Running, started
from scripts.dev.console import Console
from scripts.dev.parts import Part, plan
from scripts.dev.run import run
from scripts.dev.settings import PORTS, read
from tests.faults.harness.system import TOKEN
from tests.support.eventually import eventually
from tests.support.ports import free_port


@asynccontextmanager
async def services(directory: Path, way: str) -> AsyncIterator[Running]:
    """Run the services of `make dev`, with the log lines going `through` its runner or `past` it."""
    (secrets := directory / "secrets").mkdir(parents=True)
    (secrets / "mesh-token").write_text(TOKEN)
    ports = {name: str(free_port()) for name in PORTS}
    command = [sys.executable, "-m", "benchmarks.dev_services", way]
    with started(command, directory / "runner.log", DATA_DIR=str(directory), **ports) as process:
        await eventually(lambda: _is_ready(f"http://127.0.0.1:{ports['EDGE_PORT']}/readyz"))
        pids = {child.cmdline()[-1]: child.pid for child in process.children()}
        yield Running(f"make dev ({way})", int(ports["EDGE_PORT"]), {"runner": process.pid, **pids})


async def _is_ready(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(url, timeout=5)).is_success
        except httpx.HTTPError:
            return False


def _past(part: Part, directory: Path) -> Part:
    log = str(directory / f"{part.name}.log")
    return replace(part, command=("sh", "-c", 'log=$0; exec "$@" >>"$log" 2>&1', log, *part.command))


def _main(way: str) -> int:
    settings = read(os.environ)
    parts = [part for part in plan(settings, os.environ, "json") if part.name not in ("gateway", "web")]
    if way == "past":
        parts = [_past(part, settings.data_dir) for part in parts]
    console = Console(sys.stdout.fileno(), [part.name for part in parts], coloured=False)
    return asyncio.run(run(parts, console, lambda _seconds: ""))


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
