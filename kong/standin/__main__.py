"""The composition root of the development gateway: `python -m kong.standin`.

It reads kong.yml as kong/render gives it, with the secrets in SECRETS_DIR and the users of KONG_USERS_FILE.
"""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import uvloop

from chassis import log
from chassis.server import until_stopped
from kong import rendered, users
from kong.standin.configuration import Configuration, parse, read
from kong.standin.fields import Unknown
from kong.standin.server import HOST, bind, serving
from kong.targets import LOCAL_PORT


async def main(configuration: Configuration, port: int) -> None:
    """Serves until SIGTERM or SIGINT."""
    async with until_stopped() as stopped, serving(configuration, bind(port)):
        await stopped.wait()


def configured(environment: Mapping[str, str]) -> Configuration:
    """What kong.yml says, with the services where they are on this machine. Raises Refused and Unknown."""
    secrets = Path(environment.get("SECRETS_DIR", ".secrets"))
    text = rendered.render(
        secrets, "development", users=Path(environment.get("KONG_USERS_FILE") or users.DEFAULT).absolute()
    )
    places = {
        target: (HOST, int(environment[variable])) for target, variable in LOCAL_PORT.items() if variable in environment
    }
    return read(parse(text), places, time.time)


if __name__ == "__main__":
    if os.environ.get("ENVIRONMENT") == "production":
        sys.exit("kong.standin is for development: in production Kong itself is the gateway")
    log.configure("gateway", os.environ.get("LOG_LEVEL", "info"), os.environ.get("LOG_FORMAT", "auto"))  # type: ignore[arg-type]
    try:
        configuration = configured(os.environ)
    except (rendered.Refused, Unknown) as error:
        sys.exit(str(error))
    uvloop.run(main(configuration, int(os.environ.get("GATEWAY_PORT", "8000"))))
