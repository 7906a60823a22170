"""A checkout with the scripts of `make up`, and a replacement for `docker` that prints its arguments."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

from tests import ROOT

_SCRIPTS = (
    *("compose", "dead-letters", "demo-users", "kong-apply", "load", "load.py", "pin-images", "secrets", "test-mongod"),
    "up",
)
_KONG_IMPORT = '{"services": {"kong-import": {"environment": {"ENVIRONMENT": "development"}}}}'


def checkout(folder: Path) -> Path:
    """Copy the scripts of `make up` and the files that they use into `folder`. Return the copy."""
    copy = folder / "checkout"
    (copy / "scripts").mkdir(parents=True)
    for name in ("Dockerfile", "docker-compose.yml", *(f"scripts/{script}" for script in _SCRIPTS)):
        shutil.copy(ROOT / name, copy / name)
    for name in ("compose", "kong", "monitoring"):
        shutil.copytree(ROOT / name, copy / name)
    return copy


class StandIn:
    """The checkout and the `docker` command; `cases` are lines of a shell `case` on docker's arguments."""

    def __init__(self, folder: Path, cases: str = "") -> None:
        self.checkout = checkout(folder)
        self._commands = folder / "commands"
        self._commands.mkdir()
        docker = self._commands / "docker"
        docker.write_text(f"""#!/bin/sh
case "$*" in
{cases}
  "compose version --short") echo 2.40.0 ;;
  "version --format"*) echo 26.1.5 ;;
  "compose config --format json kong-import") echo '{_KONG_IMPORT}' ;;
  "compose port "*) echo "127.0.0.1:$4" ;;
  "compose ps --quiet "*) ;;
  *) echo "docker $*" ;;
esac
""")
        docker.chmod(docker.stat().st_mode | stat.S_IXUSR)

    def run(
        self, script: str, *arguments: str, path: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the scripts with the stand-in first on the PATH, or with `path` as the PATH."""
        return subprocess.run(
            [self.checkout / "scripts" / script, *arguments],
            env={**os.environ, "PATH": path or f"{self._commands}:{os.environ['PATH']}", **variables},
            capture_output=True,
            text=True,
            timeout=30,
        )
