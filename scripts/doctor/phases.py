"""What each phase of the course promises, and how each promise is checked on the running system."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import grpc
import httpx

from scripts.dev.services import METRICS_PORTS
from scripts.dev.settings import DevSettings
from scripts.doctor.containers import Published
from scripts.doctor.findings import DEV, MACHINE, PORTS, Report, State, run
from scripts.doctor.system import OTHER_USER, TASKS, USER, System, ensure, eventually

Check = Callable[[System], Awaitable[object]]
SESSION, NOTIFICATIONS = "/api/v1/session", "/api/v1/notifications"
_SECONDS = 20.0
_TASK = {"title": "verify"}


async def verify(phase: int, report: Report, settings: DevSettings, published: Published) -> Report:
    """Run the checks of a phase on the system that doctor has examined."""
    if not report.running:
        return replace(report, findings=())
    gateway = published.get(("kong", 8000), settings.ports["GATEWAY_PORT"])
    port = settings.ports["TASK_GRPC_PORT"] if DEV in report.running else published.get(("kong", 9080), 9080)
    async with (
        httpx.AsyncClient(base_url=f"http://localhost:{gateway}", timeout=_SECONDS, trust_env=False) as http,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel,
    ):
        system = System(report, http, channel, published)
        findings = [
            replace(await run(partial(check, system), _SECONDS, "make doctor"), group=f"phase {phase}", part=title)
            for title, check in PHASES[phase].items()
        ]
    failed = sum(finding.state is State.BAD for finding in findings)
    result = f"{failed} of {len(findings)} checks fail." if failed else "all checks pass."
    return Report(findings, well=not failed, verdict=f"Phase {phase}: {result}")


async def _task_life(system: System) -> None:
    task = (await system.call("CreateTask", task=_TASK)).task
    update = {"id": task.id, "title": "verified", "etag": task.etag}
    updated = (await system.call("UpdateTask", task=update, update_mask={"paths": ["title"]})).task
    read = (await system.call("GetTask", id=task.id)).task
    ensure(read == updated and read.revision == 2, f"GetTask returns revision {read.revision} with {read.title!r}")
    await system.call("DeleteTask", id=task.id)
    await system.call("GetTask", "NOT_FOUND", id=task.id)
    await system.call("UndeleteTask", id=task.id)
    await system.call("DeleteTask", "ABORTED", id=task.id, etag=task.etag)
    await system.call("DeleteTask", id=task.id)


async def _idempotency(system: System) -> None:
    request_id = f"verify-{secrets.token_hex(8)}"
    first, second = [(await system.call("CreateTask", task=_TASK, request_id=request_id)).task.id for _ in range(2)]
    await system.call("DeleteTask", id=first)
    ensure(first == second, f"there are two tasks: {first} and {second}")
    await system.call("CreateTask", "INVALID_ARGUMENT", task={"title": "other"}, request_id=request_id)


async def _ownership(system: System) -> None:
    task = (await system.call("CreateTask", task=_TASK)).task
    await system.call("GetTask", "NOT_FOUND", user=OTHER_USER, id=task.id)
    await system.call("DeleteTask", id=task.id)


async def _notification(system: System) -> None:
    key = {"Idempotency-Key": f"verify-{secrets.token_hex(8)}"}
    async with system.task(**key) as task:
        await system.request("POST", TASKS, 201, json=_TASK, headers=key)

        async def delivered() -> dict[str, Any] | None:
            inbox = (await system.request("GET", NOTIFICATIONS, 200)).json()["notifications"]
            found = [each for each in inbox if each["task_id"] == task]
            ensure(len(found) <= 1, f"one task has {len(found)} notifications")
            outcomes = [each["outcome"] for notification in found for each in notification["deliveries"]]
            return found[0] if outcomes and "PENDING" not in outcomes else None

        notification = await eventually(delivered, "no notification is delivered within 10 s")
        failed = [each for each in notification["deliveries"] if each["outcome"] != "DELIVERED"]
        ensure(not failed, f"the notification is not delivered: {failed}")
        await system.request("POST", f"{NOTIFICATIONS}:markRead", 204, json={"ids": [notification["id"]]})


async def _forged_headers(system: System) -> None:
    forged = {"X-Consumer-Username": OTHER_USER, "X-Mesh-Token": "guessed-guessed-guessed"}
    user = (await system.request("GET", SESSION, 200, headers=forged)).json()["user"]
    ensure(user == USER, f"a request with the API key of {USER} has the user {user}")


async def _not_public(system: System) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        text = (await system.http.get(path)).text
        ensure('"status"' not in text and "# HELP" not in text, f"the gateway serves {path} of the edge")


async def _session(system: System) -> None:
    response = await system.request("GET", SESSION, 200, user="", auth=(USER, f"{USER}-password"))
    cookie = response.headers.get("set-cookie", "")
    for attribute in ("sid=", "httponly", "secure", "samesite=strict"):
        ensure(attribute in cookie.lower(), f"the session cookie has no {attribute}")
    headers = {"Cookie": cookie.partition(";")[0]}
    system.http.cookies.clear()

    async def accepted() -> bool | None:
        return (await system.http.get(SESSION, headers=headers)).is_success or None

    await eventually(accepted, "the session cookie is rejected")  # Kong stores a session after its response
    await system.http.post(SESSION, params={"session_logout": "true"}, headers=headers)
    await system.request("GET", SESSION, 401, user="", headers=headers)


async def _event(system: System) -> None:
    async with system.http.stream("GET", "/api/v1/events", headers={"x-api-key": f"{USER}-key"}) as stream:
        ensure(stream.is_success, f"GET /api/v1/events returns {stream.status_code}")
        lines = stream.aiter_lines()
        while not (await anext(lines)).startswith("id: "):
            pass
        async with system.task() as task:
            while task not in await anext(lines):
                pass


async def _metrics(system: System) -> None:
    if not system.in_containers:
        return await system.require(*(f"metrics of {name}" for name in METRICS_PORTS))
    await system.require_monitoring("prometheus")
    url = f"http://127.0.0.1:{system.published['prometheus', 9090]}/api/v1/targets?state=active"
    targets = (await system.request("GET", url, 200, user="")).json()["data"]["activeTargets"]
    down = sorted({each["labels"]["job"] for each in targets if each["health"] != "up"})
    ensure(targets and not down, f"Prometheus cannot scrape {', '.join(down) or 'anything'}")


async def _no_problem(system: System) -> None:
    ensure(system.report.well, system.report.verdict)


PHASES: Mapping[int, Mapping[str, Check]] = {
    1: {
        "The installed packages are those of the locks": lambda system: system.require(MACHINE),
        "The ports are free or used by Taskmesh": lambda system: system.require(PORTS),
        "The queue answers and loses nothing that it has acknowledged": lambda system: system.require("queue"),
        "The task store is available": lambda system: system.require("tasks"),
    },
    2: {
        "The task service is ready": lambda system: system.require("task_svc"),
        "A task is created, updated, read, deleted and undeleted; an old etag is ABORTED": _task_life,
        "One request_id creates one task; with other content it is INVALID_ARGUMENT": _idempotency,
        "A blank title is INVALID_ARGUMENT": lambda system: system.call(
            "CreateTask", "INVALID_ARGUMENT", task={"title": "  "}
        ),
        "A task of another user is NOT_FOUND": _ownership,
    },
    3: {
        "The notification service is ready": lambda system: system.require("notify_svc"),
        "A task created twice with one Idempotency-Key causes one notification, which is delivered": _notification,
    },
    4: {
        "A request without a credential returns 401 as a problem": lambda system: system.request(
            "GET", TASKS, 401, {"content-type": "application/problem+json"}, user=""
        ),
        "An API key identifies its user, whatever the other headers claim": _forged_headers,
        "Health checks and metrics of the edge are not public": _not_public,
        "A body over 256 KiB returns 413": lambda system: system.request(
            "POST", TASKS, 413, content=b" " * 300_000, headers={"Content-Type": "application/json"}
        ),
        "A response shows the rate limit": lambda system: system.request("GET", SESSION, 200, {"ratelimit-limit": ""}),
    },
    5: {
        "The page is served, and no other page can frame it": lambda system: system.request(
            "GET", "/", 200, {"content-security-policy": "frame-ancestors 'none'"}, user=""
        ),
        "Signing in returns a session cookie for this site only; signing out ends the session": _session,
        "A change from a page of another site returns 403": lambda system: system.request(
            "POST", TASKS, 403, json=_TASK, headers={"Origin": "https://elsewhere.example"}
        ),
        "A created task is sent as an event": _event,
    },
    6: {
        "Every service has metrics": _metrics,
        "A response has the request ID of its request": lambda system: system.request(
            "GET", SESSION, 200, {"x-request-id": "verify-phase-6"}, headers={"X-Request-ID": "verify-phase-6"}
        ),
        "The dashboards are available": lambda system: system.require_monitoring("grafana"),
    },
    7: {
        "Every service is ready": lambda system: system.require("task_svc", "notify_svc", "edge_api"),
        "`make doctor` finds no problem": _no_problem,
    },
}
