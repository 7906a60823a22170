"""Runs the one-shot steps before Kong without containers: their entrypoints, files, environments and secrets.

The paths of files and secrets are replaced. The commands `kong` and `psql` are replaced by scripts that record their
arguments.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts.containers.project import Project
from tests import ROOT

_COMMAND = """#!/bin/sh
echo "$(basename "$0") $*" >>"$LOG"
password=$(cat "$SECRETS_DIR/kong-db-password")
case $(basename "$0") in
  kong) [ "$KONG_PG_HOST $KONG_PG_PASSWORD" = "kong-db $password" ] || exit 9 ;;
  psql) [ "$PGHOST $PGUSER $PGDATABASE $PGPASSWORD" = "kong-db kong kong $password" ] || exit 9 ;;
esac
case "$*" in "config db_import "*) cp "$3" "$LOG.imported" ;; esac
"""


class KongSteps:
    """Runs the steps with the secrets that scripts/secrets creates."""

    def __init__(self, folder: Path) -> None:
        self.project = Project.read(ROOT)
        self.secrets = folder / "all-secrets"
        self._folder = folder
        subprocess.run([ROOT / "scripts/secrets", self.secrets], check=True, stdout=subprocess.DEVNULL)
        self._commands = folder / "commands"
        self._commands.mkdir()
        for name in ("kong", "psql"):
            (self._commands / name).write_text(_COMMAND)
            (self._commands / name).chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """The recorded commands with their arguments, in order; paths are reduced to file names."""
        words = ((self._folder / "log").read_text()).split("\n")
        return [" ".join(Path(word).name if "/" in word else word for word in line.split()) for line in words if line]

    @property
    def imported(self) -> str:
        """The file of the last import."""
        return (self._folder / "log.imported").read_text()

    def run(self, name: str, variables: Mapping[str, str] | None = None) -> None:
        """Run a step, with `variables` for docker-compose.yml. Raise CalledProcessError if it fails."""
        service, place = self.project.services[name], self._folder / name
        for config in service["configs"]:
            target = place / config["target"].lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / self.project.compose["configs"][config["source"]]["file"], target)
        secrets = place / "run/secrets"
        secrets.mkdir(parents=True, exist_ok=True)
        for secret in service["secrets"]:
            shutil.copy(self.secrets / secret, secrets)
        command = [str(place / word.lstrip("/")) if word.startswith("/") else word for word in service["entrypoint"]]
        environment = {
            **self.project.environment(name, variables),
            "PATH": f"{self._commands}:{os.environ['PATH']}",
            "LOG": str(self._folder / "log"),
            "SECRETS_DIR": str(secrets),
        }
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=30)
