"""The parts of `make dev`: the address of each, and its probe, which returns a Finding or raises Problem."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError

from scripts.dev.services import GRPC_SERVICES, METRICS_PORTS
from scripts.dev.settings import DevSettings
from scripts.doctor.findings import DEV, Finding, Problem, State, run
from scripts.doctor.mongodb import mongodb

_SECONDS = 2.0
_DURABLE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
_SQLITE = "sqlite:///"


class Part(NamedTuple):
    """One part of `make dev`, or a server that it uses."""

    name: str
    where: str
    """Its address or file, without credentials."""
    probe: Callable[[], Awaitable[Finding]]
    is_external: bool = False
    """Whether something else than `make dev` starts it."""


async def examine(settings: DevSettings, environment: Mapping[str, str], *, dev_runs: bool) -> list[Finding]:
    """Probe all parts at once. Raise OSError if a password file cannot be read."""

    async def found(part: Part) -> Finding:
        finding = Finding(state=State.OFF, says="not running")
        if dev_runs or part.is_external:
            finding = await run(part.probe, _SECONDS, "restart it; its last log lines may show the cause", repeats=3)
        return replace(finding, group=DEV, part=part.name, where=part.where)

    async with httpx.AsyncClient(timeout=2 * _SECONDS, trust_env=False) as client:
        return await asyncio.gather(*map(found, _parts(settings, environment, client)))


def _parts(settings: DevSettings, environment: Mapping[str, str], client: httpx.AsyncClient) -> Iterator[Part]:
    def local(name: str, variable: str, probe: Callable[[str], Awaitable[Finding]]) -> Part:
        target = f"127.0.0.1:{settings.ports[variable]}"
        return Part(name, target, partial(probe, target))

    url, password = settings.redis_url, _password(environment, "REDIS_PASSWORD_FILE")
    yield Part("queue", _address(url), partial(queue, url, password), is_external=not settings.starts_valkey)
    url, password = settings.task_store_url, _password(environment, "TASK_STORE_PASSWORD_FILE")
    if url.startswith(_SQLITE):
        yield Part("tasks", url.removeprefix(_SQLITE), partial(sqlite, Path(url.removeprefix(_SQLITE))))
    else:
        yield Part("tasks", _address(url), partial(mongodb, url, password), is_external=True)
    for each in GRPC_SERVICES:
        yield local(each.name, each.grpc_port, partial(grpc_service, each.serves))
    yield local("gateway", "GATEWAY_PORT", partial(http, client, "/api/v1/session", (401, 429)))
    yield local("web", "WEB_PORT", partial(http, client, "/", (200,)))
    yield local("edge_api", "EDGE_PORT", partial(http, client, "/readyz", (200,)))
    for name, variable in METRICS_PORTS.items():
        yield local(f"metrics of {name}", variable, partial(http, client, "/metrics", (200,)))


def _address(url: str) -> str:
    return url.partition("://")[2].rpartition("@")[2]


def _password(environment: Mapping[str, str], variable: str) -> str | None:
    path = environment.get(variable)
    return Path(path).read_text(encoding="utf-8").strip() if path else None


async def queue(url: str, password: str | None) -> Finding:
    """Check that Valkey or Redis answers, and loses nothing that it has acknowledged."""
    info: Mapping[str, Any] = {}
    settings: Mapping[Any, Any] = {}
    async with Redis.from_url(url, password=password, decode_responses=True, retry=Retry(NoBackoff(), 0)) as client:
        try:
            await client.ping()
        except AuthenticationError as error:
            raise Problem(str(error), "set the user in REDIS_URL and its password in REDIS_PASSWORD_FILE") from error
        with suppress(NoPermissionError):
            info = await client.info("server")
            settings = await client.config_get(*_DURABLE)
    name = info.get("server_name", "redis")
    version = f"{name.capitalize()} {info[f'{name}_version']}" if info else ""
    unsafe = [f"{name} {value}" for name, value in _DURABLE.items() if settings.get(name, value) != value]
    if unsafe:
        raise Problem(f"{version} may lose acknowledged events", f"set {', '.join(unsafe)}")
    says = ", ".join(f"{name} {value}" for name, value in settings.items())
    return Finding(says=says or "answers; this user may not read its settings", version=version)


async def sqlite(path: Path) -> Finding:
    """Check that the file with the tasks exists."""
    size = (await asyncio.to_thread(path.stat)).st_size
    return Finding(says=f"{size / 1024:.0f} KiB", version=f"SQLite {sqlite3.sqlite_version}")


async def grpc_service(service: str, target: str) -> Finding:
    """Check that the health of the service can be watched, and is SERVING."""
    async with grpc.aio.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))  # type: ignore[attr-defined]
        try:
            status = health_pb2.HealthCheckResponse.ServingStatus.Name((await watch.read()).status)
        except grpc.aio.AioRpcError as error:
            raise Problem(f"{error.code().name}: {error.details()}", "restart `make dev`") from error
    if status != "SERVING":
        raise Problem(f"{service} is {status}", "read its log; it waits for its store and its queue")
    return Finding(says=f"{service} is SERVING")


async def http(client: httpx.AsyncClient, path: str, statuses: Sequence[int], target: str) -> Finding:
    """Check that a request without a credential returns one of these statuses."""
    response = await client.get(f"http://{target}{path}")
    says = f"GET {path} returns {response.status_code}"
    if response.status_code not in statuses:
        raise Problem(f"{says}: {response.text[:200]}", "read its log")
    return Finding(says=says)
