"""The containers of `make up`."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scripts.doctor.findings import MACHINE, UP, Finding, State

ONE_SHOTS = {"mongo-init", "kong-init", "kong-prune", "kong-import"}
"""The services that exit when their work is done."""
_SECONDS = 10.0

Published = Mapping[tuple[str, int], int]
"""The ports on this machine, by service and by the port in its container."""


def look(root: Path) -> tuple[Sequence[Finding], Published]:
    """Return Docker and its containers as findings, and the ports that the containers publish."""
    docker = partial(Finding, group=MACHINE, part="Docker")
    environment = {"COMPOSE_PROFILES": "monitoring", **os.environ}  # else the containers of that profile are not listed
    command = ("docker", "compose", "ps", "--all", "--format", "json")
    try:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=_SECONDS)
        error = (done.stderr.strip() or f"exit status {done.returncode}") if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as failure:
        error = str(failure)
    if error:
        says = f"not available, so `make up` does not work: {error.splitlines()[0]}"
        return [docker(state=State.NOTE, says=says)], {}
    # Some versions of Compose write one list, others one object per line.
    lines = done.stdout.strip()
    entries = json.loads(lines if lines.startswith("[") else f"[{','.join(lines.splitlines())}]")
    published = {
        (entry["Service"], port["TargetPort"]): port["PublishedPort"]
        for entry in entries
        for port in entry.get("Publishers") or ()
        if port["PublishedPort"]
    }
    return [docker(says="its engine answers"), *map(_container, entries)], published


def _container(entry: Mapping[str, Any]) -> Finding:
    service, state, health = entry["Service"], entry["State"], entry.get("Health") or ""
    container = partial(Finding, group=UP, part=service, where=entry.get("Name", ""))
    if state == "exited" and entry.get("ExitCode") == 0 and service in ONE_SHOTS:
        return container(says="done")
    if state == "running" and health in ("", "healthy"):
        return container(says=health or state)
    says = health if state == "running" else f"{state} ({entry.get('ExitCode')})"
    cure = "wait a minute, then run `make doctor` again" if health == "starting" else f"make logs ARGS={service}"
    return container(state=State.BAD, says=says, cure=cure)
