"""Docker, and the containers of `make up` where there are any."""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.doctor.findings import SECONDS, Finding, State
from scripts.doctor.machine import GROUP as MACHINE

GROUP = "make up"
ONE_SHOTS = {"mongo-init", "kong-init", "kong-prune", "kong-import"}
"""The services that are to end well."""


async def docker(root: Path) -> list[Finding]:
    """Whether Docker can be used, and how each container is; without Docker that is no more than a note."""
    if shutil.which("docker") is None:
        return [_lacking("is not installed")]
    engine, compose, listed = await asyncio.gather(
        _run(root, "version", "--format", "{{.Server.Version}}"),
        _run(root, "compose", "version", "--short"),
        _run(root, "compose", "ps", "--all", "--format", "json"),
    )
    if engine is None:
        return [_lacking("its engine does not answer")]
    if compose is None:
        return [_lacking("has no plugin compose")]
    good = Finding(MACHINE, "Docker", State.OK, f"with Compose {compose.strip()}", version=engine.strip())
    return [good, *(_container(each) for each in _entries(listed or ""))]


def _lacking(says: str) -> Finding:
    return Finding(MACHINE, "Docker", State.NOTE, f"{says}; only make up needs it")


async def _run(root: Path, *arguments: str) -> str | None:
    """What docker writes, or None when it fails or takes too long."""
    everything = {"COMPOSE_PROFILES": "monitoring", **os.environ}  # or the containers of a profile would not be listed
    process = await asyncio.create_subprocess_exec(
        "docker", *arguments, cwd=root, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env=everything
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    return output.decode(errors="replace") if process.returncode == 0 else None


def _entries(listed: str) -> list[Mapping[str, Any]]:
    """`docker compose ps` writes one list, or one object a line, by its version."""
    if listed.startswith("["):
        entries: list[Mapping[str, Any]] = json.loads(listed)
        return entries
    return [json.loads(line) for line in listed.splitlines() if line.startswith("{")]


def _container(entry: Mapping[str, Any]) -> Finding:
    service, state, health = entry["Service"], entry["State"], entry.get("Health") or ""
    is_done = state == "exited" and entry.get("ExitCode") == 0 and service in ONE_SHOTS
    if is_done or (state == "running" and health in ("", "healthy")):
        return Finding(GROUP, service, State.OK, "done" if is_done else health or state, where=entry.get("Name", ""))
    if health == "starting":
        return Finding(GROUP, service, State.BAD, "starting", "wait a moment, and ask again", entry.get("Name", ""))
    says = f"{state} {health}".strip() if state == "running" else f"{state} ({entry.get('ExitCode')})"
    return Finding(GROUP, service, State.BAD, says, f"make logs ARGS={service}", entry.get("Name", ""))
