"""`python -m scripts.verify N`: ends with status 0 when what runs keeps the promises of phase N, with 1 when not."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import grpc
import httpx

from scripts.dev.settings import BadSettings, read
from scripts.doctor.diagnosis import DEV
from scripts.doctor.examination import examine
from scripts.doctor.findings import Finding, State
from scripts.verify.promises import PHASES, Promise
from scripts.verify.system import Broken, NotHere, System, opened

_CONTAINERS = {"GATEWAY_GRPC_PORT": 9080, "PROMETHEUS_PORT": 9090, "GRAFANA_PORT": 3000}


def main(arguments: list[str]) -> int:
    """Asks everything that a phase promises; gives the exit status."""
    if len(arguments) != 1 or not arguments[0].isdigit() or int(arguments[0]) not in PHASES:
        sys.stderr.write(f"usage: make verify PHASE=n, with n from 1 to {max(PHASES)}\n")
        return 2
    try:
        return asyncio.run(_verify(int(arguments[0]), os.environ))
    except (BadSettings, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


async def _verify(phase: int, environment: Mapping[str, str]) -> int:
    settings = read(environment)
    diagnosis = await examine(settings, environment, Path.cwd())
    if not any(_runs(finding) for finding in diagnosis.findings):
        print(diagnosis.verdict)
        return 1
    ports = {name: int(environment.get(name) or port) for name, port in _CONTAINERS.items()}
    broken = 0
    async with opened(diagnosis, settings, ports) as system:
        for promise in PHASES[phase]:
            broken += not await _is_kept(promise, system)
    print(f"\nPhase {phase}: {'all of it works.' if not broken else f'{broken} of {len(PHASES[phase])} do not work.'}")
    return 1 if broken else 0


def _runs(finding: Finding) -> bool:
    is_up = finding.group == DEV and finding.seconds is not None
    return is_up or (finding.group == "make up" and finding.state is State.OK)


async def _is_kept(promise: Promise, system: System) -> bool:
    words, look = promise
    try:
        await look(system)
    except NotHere as error:
        print(f"  -    {words}: {error}")
        return True
    except Broken as error:
        print(f"  bad  {words}\n       -> {error}")
    except grpc.aio.AioRpcError as error:
        print(f"  bad  {words}\n       -> {error.code().name}: {error.details()}")
    except httpx.HTTPError as error:
        print(f"  bad  {words}\n       -> {type(error).__name__}: {error}")
    else:
        print(f"  ok   {words}")
        return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
