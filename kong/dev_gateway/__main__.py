"""The composition root of the development gateway: `python -m kong.dev_gateway`.

It reads the output of kong/render, with the secrets in SECRETS_DIR and the users in KONG_USERS_FILE.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import uvloop

from chassis import log
from chassis.grpc_api.server import until_stopped
from kong import rendered, users
from kong.configuration import BadConfiguration, Configuration
from kong.dev_gateway.server import HOST, bind, serving
from kong.dev_gateway.upstream import Targets
from kong.targets import LOCAL_PORT


async def main(configuration: Configuration, targets: Targets, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Raise BadConfiguration if the configuration uses an unsupported feature."""
    async with until_stopped() as stopped, serving(configuration, targets, bind(port)):
        await stopped.wait()


def configured(environment: Mapping[str, str]) -> Configuration:
    """Return the development configuration. Raise RenderError or BadConfiguration if it is invalid."""
    secrets = Path(environment.get("SECRETS_DIR", ".secrets"))
    file = Path(environment.get("KONG_USERS_FILE") or users.DEFAULT).absolute()
    return rendered.read(secrets, "development", users=file)


if __name__ == "__main__":
    if os.environ.get("ENVIRONMENT") == "production":
        sys.exit("kong.dev_gateway does not run with ENVIRONMENT=production: use Kong")
    log.configure("gateway", os.environ.get("LOG_LEVEL", "info"), os.environ.get("LOG_FORMAT", "auto"))  # type: ignore[arg-type]
    local = {address: (HOST, int(os.environ[name])) for address, name in LOCAL_PORT.items() if name in os.environ}
    try:
        uvloop.run(main(configured(os.environ), local, int(os.environ.get("GATEWAY_PORT", "8000"))))
    except (rendered.RenderError, BadConfiguration) as error:
        sys.exit(str(error))
