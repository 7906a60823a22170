"""Asks everything: the machine first, then at once all that runs."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from chassis.queue_settings import read_secret
from scripts.dev.services import GRPC_SERVICES, METRICS_PORTS
from scripts.dev.settings import DevSettings
from scripts.doctor import docker, machine, services, stores
from scripts.doctor.diagnosis import DEV, Diagnosis, judge
from scripts.doctor.findings import Question, ask
from scripts.doctor.ports import ports

_SQLITE = "sqlite:///"


async def examine(settings: DevSettings, environment: Mapping[str, str], root: Path) -> Diagnosis:
    """Looks at the machine, at what `make dev` starts, and at the containers of `make up`."""
    # By themselves, for they keep the processor busy, and everybody else would look slow.
    packages, held = [machine.packages(root), machine.node_packages(root)], list(ports(settings, root))
    async with asyncio.TaskGroup() as group:
        containers = group.create_task(docker.docker(root))
        local = [group.create_task(ask(DEV, *each)) for each in _questions(settings, environment)]
    found = [machine.python(), *packages, machine.disk(settings.data_dir), *containers.result(), *held]
    return judge([*found, *(each.result() for each in local)])


def _questions(settings: DevSettings, environment: Mapping[str, str]) -> Iterator[tuple[str, str, Question]]:
    """Each part of `make dev`: its name, its address, and what to ask."""
    local = {name: f"127.0.0.1:{port}" for name, port in settings.ports.items()}
    queue = partial(stores.queue, settings.redis_url, _secret(environment, "REDIS_PASSWORD_FILE"))
    yield "queue", _place(settings.redis_url), queue
    yield "tasks", *_store(settings.task_store_url, environment)
    for each in GRPC_SERVICES:
        yield each.name, local[each.grpc_port], partial(services.grpc_service, local[each.grpc_port], each.serves)
    yield "gateway", local["GATEWAY_PORT"], partial(services.gateway, f"http://{local['GATEWAY_PORT']}")
    yield "web", local["WEB_PORT"], partial(services.web, f"http://{local['WEB_PORT']}")
    yield "edge_api", local["EDGE_PORT"], partial(services.edge, f"http://{local['EDGE_PORT']}")
    for name, variable in METRICS_PORTS.items():
        yield f"metrics of {name}", local[variable], partial(services.metrics, f"http://{local[variable]}")


def _store(url: str, environment: Mapping[str, str]) -> tuple[str, Question]:
    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE))
        return str(path), partial(stores.sqlite, path)
    return _place(url), partial(stores.mongodb, url, _secret(environment, "TASK_STORE_PASSWORD_FILE"))


def _place(url: str) -> str:
    """What may be shown of a URL: no user and no password."""
    return url.partition("://")[2].rpartition("@")[2]


def _secret(environment: Mapping[str, str], variable: str) -> str | None:
    path = environment.get(variable)
    return read_secret(Path(path)) if path else None
