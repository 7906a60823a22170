"""Runs kong/render, which combines kong.yml, the secrets and the users, and reads the result."""

import os
import subprocess
from pathlib import Path

from kong.configuration import Configuration, parse

FOLDER = Path(__file__).parent


class RenderError(Exception):
    """kong/render rejected a secret. The message has its name and the reason, not its value."""


def render(secrets: Path, environment: str, *, folder: Path = FOLDER, users: Path | None = None) -> str:
    """Return the file that Kong imports, with the secrets from the folder `secrets`.

    `users` defaults to the file kong-users in `secrets`. In the environment `production` there are no demo users.
    Raise RenderError.
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
    """Render and parse the configuration; arguments as for `render`. Raise RenderError or BadConfiguration."""
    return Configuration(parse(render(secrets, environment, folder=folder, users=users)))
