"""The composition root of the development gateway: `python -m kong.standin`."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import uvloop

from chassis import log
from chassis.server import until_stopped
from kong.standin.configuration import Configuration, parse, read
from kong.standin.fields import Unknown
from kong.standin.server import HOST, bind, serving
from kong.targets import LOCAL_PORT

_RENDER = Path(__file__).parents[1] / "render"


def rendered(environment: Mapping[str, str]) -> str:
    """kong.yml with its secrets and users, as Kong would get it. Exits with kong/render's message when it refuses."""
    done = subprocess.run(["bash", str(_RENDER)], env=environment, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603, S607
    if done.returncode != 0:
        sys.exit(1)
    return done.stdout


def targets(environment: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Where the services of kong.yml are on this machine."""
    return {
        target: (HOST, int(environment[variable])) for target, variable in LOCAL_PORT.items() if variable in environment
    }


async def main(configuration: Configuration, port: int) -> None:
    """Serves until SIGTERM or SIGINT."""
    async with until_stopped() as stopped, serving(configuration, bind(port)):
        await stopped.wait()


if __name__ == "__main__":
    if os.environ.get("ENVIRONMENT") == "production":
        sys.exit("kong.standin is for development: in production Kong itself is the gateway")
    log.configure("gateway", os.environ.get("LOG_LEVEL", "info"), os.environ.get("LOG_FORMAT", "auto"))  # type: ignore[arg-type]
    try:
        configuration = read(parse(rendered(os.environ)), targets(os.environ), time.time)
    except Unknown as error:
        sys.exit(f"kong/kong.yml: {error}")
    uvloop.run(main(configuration, int(os.environ.get("GATEWAY_PORT", "8000"))))
