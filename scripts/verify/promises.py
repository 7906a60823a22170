"""What each phase of the course promises of the system, in words, with what is done to see it."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from scripts.doctor.machine import GROUP as MACHINE
from scripts.doctor.ports import GROUP as PORTS
from scripts.verify import grpc_promises, http_promises
from scripts.verify.system import Broken, NotHere, System, expect

Promise = tuple[str, Callable[[System], Awaitable[None]]]
_DEV_ONLY, _UP_ONLY = "make dev alone has it", "make up alone has them"
_SERVICES = {"task.v1.TaskService": "TASK_GRPC_PORT", "notify.v1.NotificationService": "NOTIFY_GRPC_PORT"}


async def _tools(system: System) -> None:
    system.group_is_well(MACHINE)


async def _places(system: System) -> None:
    if system.in_containers:
        raise NotHere(_DEV_ONLY)
    system.group_is_well(PORTS)


async def _queue(system: System) -> None:
    system.is_well("queue")


async def _store(system: System) -> None:
    system.is_well("tasks")


async def _task_service(system: System) -> None:
    system.is_well("task_svc")


async def _notifier(system: System) -> None:
    system.is_well("notify_svc")


async def _metrics(system: System) -> None:
    if not system.in_containers:
        system.is_well("metrics of edge_api", "metrics of task_svc", "metrics of notify_svc")
        return
    url = f"http://127.0.0.1:{system.ports['PROMETHEUS_PORT']}/api/v1/targets?state=active"
    targets = (await system.http.get(url)).json()["data"]["activeTargets"]
    down = sorted({each["labels"]["job"] for each in targets if each["health"] != "up"})
    if down or not targets:
        msg = f"Prometheus gets nothing from {', '.join(down) or 'anybody'}"
        raise Broken(msg)


async def _named_requests(system: System) -> None:
    name = f"verify-{secrets.token_hex(8)}"
    answer = await system.call("GET", http_promises.SESSION, 200, headers={"X-Request-ID": name})
    if answer.headers.get("x-request-id") != name:
        msg = f"the answer is named {answer.headers.get('x-request-id')}, not as its request {name}"
        raise Broken(msg)


async def _dashboards(system: System) -> None:
    if not system.in_containers:
        raise NotHere(_UP_ONLY)
    url = f"http://127.0.0.1:{system.ports['GRAFANA_PORT']}/api/health"
    expect(await system.http.get(url), 200, "Grafana")


async def _health(system: System) -> None:
    system.is_well("task_svc", "notify_svc", "edge_api")


async def _watched(system: System) -> None:
    if system.in_containers:
        raise NotHere(_DEV_ONLY)  # no port of a service is published there
    for service, variable in _SERVICES.items():
        target = f"127.0.0.1:{system.ports[variable]}"
        async with grpc.aio.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            call = stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=5)
            status = (await call.read()).status
            call.cancel()
        if status != health_pb2.HealthCheckResponse.SERVING:
            msg = f"{service} says {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}"
            raise Broken(msg)


async def _all_well(system: System) -> None:
    if not system.diagnosis.is_well:
        raise Broken(system.diagnosis.verdict)


PHASES: Mapping[int, Sequence[Promise]] = {
    1: (
        ("What is installed is what the locks pin", _tools),
        ("The ports are held by this checkout, or free", _places),
        ("The queue answers, and keeps what it has confirmed", _queue),
        ("The store of tasks is there", _store),
    ),
    2: (
        ("The task service lives and can do its work", _task_service),
        (
            "A task is created, changed, read, deleted, undeleted; an old etag changes nothing",
            grpc_promises.crud,
        ),
        ("The same request_id makes no second task, and no other one", grpc_promises.idempotent),
        ("A title that breaks the rules is INVALID_ARGUMENT", grpc_promises.rules),
        ("A task of somebody else is NOT_FOUND", grpc_promises.owners),
    ),
    3: (
        ("The notification service lives and can do its work", _notifier),
        ("A task that is created twice by one key is told of once, and delivered", http_promises.told),
    ),
    4: (
        ("A stranger is refused, as a problem", http_promises.strangers),
        ("A key calls as its user, whatever else the request claims", http_promises.names),
        ("What is for operators is not to be had", http_promises.inside),
        ("A body over 256 KiB is refused", http_promises.sizes),
        ("Each caller's requests are counted", http_promises.counted),
    ),
    5: (
        ("The page is served, and shown in no frame", http_promises.page),
        ("Signing in gives a cookie that is closed to scripts, and signing out ends it", http_promises.session),
        ("A page of another site changes nothing", http_promises.other_sites),
        ("A task that is created comes as an event", http_promises.events),
    ),
    6: (
        ("The metrics of every service are there to be scraped", _metrics),
        ("A request keeps its name up to its answer", _named_requests),
        ("The dashboards are there", _dashboards),
    ),
    7: (
        ("Each service says that it lives and can work", _health),
        ("Health can be watched", _watched),
        ("Doctor finds nothing amiss", _all_well),
    ),
}
