"""What kong/render makes of kong.yml, the secrets and the users."""

import os
import subprocess
from pathlib import Path

from kong.configuration import Configuration, parse

FOLDER = Path(__file__).parent


class RenderError(Exception):
    """kong/render refused a secret; the message says which one and why, and not its value."""


def render(secrets: Path, environment: str, *, folder: Path = FOLDER, users: Path | None = None) -> str:
    """The file that Kong imports, with the secrets in the folder `secrets`; `users` defaults to its file kong-users.

    In the environment `production` it has no demo users. Raises RenderError.
    """
    variables = {"PATH": os.environ["PATH"], "SECRETS_DIR": str(secrets), "ENVIRONMENT": environment}
    if users is not None:
        variables["KONG_USERS_FILE"] = str(users)
    command = ["bash", str(folder / "render")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(done.stderr.strip())
    return done.stdout


def read(secrets: Path, environment: str, *, folder: Path = FOLDER, users: Path | None = None) -> Configuration:
    """The same, read. Raises RenderError and BadConfiguration."""
    return Configuration(parse(render(secrets, environment, folder=folder, users=users)))
