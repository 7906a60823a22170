"""What gateway and edge promise to whoever calls them over HTTP. Each function raises Broken when it is not so."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

from scripts.verify.system import (
    KEY,
    NOTIFICATIONS,
    OTHER_USER,
    PASSWORD,
    TASKS,
    USER,
    Broken,
    System,
    eventually,
    expect,
)

SESSION = "/api/v1/session"


async def told(system: System) -> None:
    """Two creates under one key are told of once, and delivered."""
    key = f"verify-{secrets.token_hex(8)}"
    async with system.task("verify", **{"Idempotency-Key": key}) as task:
        await system.call("POST", TASKS, 201, json={"title": "verify"}, headers={"Idempotency-Key": key})

        async def delivered() -> dict[str, Any] | None:
            found = [each for each in await _inbox(system) if each["task_id"] == task["id"]]
            if len(found) > 1:
                msg = f"{len(found)} notifications of one task"
                raise Broken(msg)
            done = [each for each in found if each["deliveries"] and _is_over(each)]
            return done[0] if done else None

        told = await eventually(delivered, "no notification within ten seconds")
        if any(each["outcome"] != "DELIVERED" for each in told["deliveries"]):
            msg = f"it was not delivered: {told['deliveries']}"
            raise Broken(msg)
        await system.call("POST", f"{NOTIFICATIONS}:markRead", 204, json={"ids": [told["id"]]})


async def _inbox(system: System) -> list[dict[str, Any]]:
    inbox: list[dict[str, Any]] = (await system.call("GET", NOTIFICATIONS, 200)).json()["notifications"]
    return inbox


def _is_over(notification: Mapping[str, Any]) -> bool:
    return all(each["outcome"] != "PENDING" for each in notification["deliveries"])


async def strangers(system: System) -> None:
    """Without a key the answer is 401, as problem+json."""
    answer = await system.http.get(TASKS)
    expect(answer, 401, "a request without a key")
    if answer.headers.get("content-type") != "application/problem+json":
        msg = f"the refusal is {answer.headers.get('content-type')}, not application/problem+json"
        raise Broken(msg)


async def names(system: System) -> None:
    """Headers that name somebody else change nothing."""
    claims = {"X-Consumer-Username": OTHER_USER, "X-Mesh-Token": "guessed-guessed-guessed"}
    answer = await system.call("GET", SESSION, 200, headers=claims)
    if answer.json()["user"] != USER:
        msg = f"a key of {USER} calls as {answer.json()['user']}"
        raise Broken(msg)


async def inside(system: System) -> None:
    """The probes and metrics of the edge are not behind the gateway."""
    for path in ("/healthz", "/readyz", "/metrics"):
        text = (await system.http.get(path)).text
        if '"status"' in text or "# HELP" in text:
            msg = f"{path} of the edge is to be had through the gateway"
            raise Broken(msg)


async def sizes(system: System) -> None:
    """What is larger than 256 KiB is 413."""
    await system.call("POST", TASKS, 413, content=b" " * 300_000, headers={"Content-Type": "application/json"})


async def counted(system: System) -> None:
    """An answer tells of the limit that it counts for."""
    answer = await system.call("GET", SESSION, 200)
    if not any(name.lower().startswith(("ratelimit", "x-ratelimit")) for name in answer.headers):
        msg = "the answer does not tell how many requests are left"
        raise Broken(msg)


async def page(system: System) -> None:
    """The page is there and forbids frames."""
    answer = await system.http.get("/")
    expect(answer, 200, "the page")
    if "frame-ancestors 'none'" not in answer.headers.get("content-security-policy", ""):
        msg = "the page may be shown in a frame of another"
        raise Broken(msg)


async def session(system: System) -> None:
    """The cookie of a sign-in is closed, lets in, and is dead after the sign-out."""
    answer = await system.http.get(SESSION, auth=(USER, PASSWORD))
    expect(answer, 200, "signing in")
    cookie = answer.headers.get("set-cookie", "").lower()
    if not all(part in cookie for part in ("sid=", "httponly", "secure", "samesite=strict")):
        msg = f"the cookie is not closed to scripts and other sites: {cookie.partition('=')[0]}"
        raise Broken(msg)
    sid = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}

    async def known() -> bool | None:
        return (await system.http.get(SESSION, headers=sid)).status_code == 200 or None

    await eventually(known, "the cookie gets no 200")  # Kong stores a session after it has answered the login
    await system.http.post(SESSION, params={"session_logout": "true"}, headers=sid)
    system.http.cookies.clear()
    expect(await system.http.get(SESSION, headers=sid), 401, "the cookie after the sign-out")


async def other_sites(system: System) -> None:
    """A change with another site's origin is 403."""
    await system.call("POST", TASKS, 403, json={"title": "verify"}, headers={"Origin": "https://elsewhere.example"})


async def events(system: System) -> None:
    """A watcher hears of a task that is created."""
    async with system.http.stream("GET", "/api/v1/events", headers={"x-api-key": KEY}) as answer:
        expect(answer, 200, "the events")
        lines = answer.aiter_lines()
        try:
            async with asyncio.timeout(10):
                while not (await anext(lines)).startswith("id: "):
                    pass
                async with system.task("verify") as task:
                    while task["id"] not in await anext(lines):
                        pass
        except TimeoutError:
            msg = "a task was created, and no event told of it within ten seconds"
            raise Broken(msg) from None
