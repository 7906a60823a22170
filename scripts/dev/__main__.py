"""The composition root of `make dev`: `python -m scripts.dev`, and of `make dev-mono`: `python -m scripts.dev --mono`.

With `--with-parent` it ends together with the process that started it, even if that is killed by SIGKILL.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial

from scripts.dev import parent_death
from scripts.dev.console import Console
from scripts.dev.parts import plan
from scripts.dev.preflight import Taken, check_ports, data_folder
from scripts.dev.run import run
from scripts.dev.settings import BadSettings, DevSettings, read
from scripts.dev.welcome import welcome


def main(environment: Mapping[str, str], arguments: list[str]) -> int:
    """Run the system until a signal arrives or a process ends; return the exit status."""
    if "--with-parent" in arguments:
        parent_death.to_parent(signal.SIGTERM, os.getppid())()
    try:
        settings = read(environment)
        with data_folder(settings.data_dir):
            check_ports(settings.ports)
            return asyncio.run(_run(settings, environment, is_mono="--mono" in arguments))
    except (BadSettings, Taken) as error:
        sys.stderr.write(f"{error}\n")
        return 1


async def _run(settings: DevSettings, environment: Mapping[str, str], *, is_mono: bool) -> int:
    on_terminal = sys.stdout.isatty()
    parts = plan(settings, environment, "pretty" if on_terminal else "json", is_mono=is_mono)
    names = [part.name for part in parts]
    coloured = on_terminal and not environment.get("NO_COLOR")
    return await run(parts, Console(sys.stdout.fileno(), names, coloured=coloured), partial(welcome, settings))


if __name__ == "__main__":
    sys.exit(main(os.environ, sys.argv[1:]))
